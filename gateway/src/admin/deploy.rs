//! `POST /api/v1/groups/{group}/deploy`, `.../deploy/dry-run` and `.../rollback`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use flotilla_api::Problem;
use flotilla_api::audit::Origin;
use flotilla_api::deploy::{Begun, Deploy, DryRun, Rollback};
use flotilla_api::rollout::Rules;
use flotilla_flows::{Document, effects, review};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use flotilla_group::rights::Right;
use flotilla_group::rollout::Rollout;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::parameters::Path;
use super::plan::{Plan, base_changed, plan};
use super::problem::Failure;

/// What `protected_by` begins with when it is a token of another installation.
const TOKEN: &str = "token:";

/// Checks a deploy, records the revision and begins the rollout to it.
pub(super) async fn deploy(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(deploy): Body<Deploy>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Begun>), Failure> {
    let begun = deploy_to(&api, &caller, &group, deploy).await?;
    Ok((StatusCode::ACCEPTED, watch_at(&group), Json(begun)))
}

/// The same for whoever has a deploy.
pub(super) async fn deploy_to(api: &Api, caller: &Caller, group: &str, deploy: Deploy) -> Result<Begun, Failure> {
    let brings = !deploy.flows.is_null() || !deploy.set_nodes.is_empty() || deploy.tests.is_some();
    refuse_protected(api, group, brings, deploy.override_protection, "deploy", caller).await?;
    let mut plan = plan(api, group, &deploy).await?;
    refuse_missing(&plan.new)?;
    take_secrets(api, group, &deploy, &mut plan.new, caller).await?;
    let rules = rules(api, group, deploy.rules.clone()).await?;
    let base = plan.base.as_deref();
    // Tests are kept once the deploy is taken: one that is refused replaces none. Other tests alone are a change, too.
    let (id, rollout) = match begin(api, group, &plan.new, base, &rules, &deploy.message, caller.origin()).await {
        Ok(begun) => begun,
        Err(failure) if failure.0.code == "unchanged" && deploy.tests.is_some() => {
            keep_tests(api, group, &deploy, &plan).await?;
            api.audit(group)?.write(caller.entry("tests-change", deploy.message.as_str())).await?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    keep_tests(api, group, &deploy, &plan).await?;
    Ok(Begun { revision: id, rollout: rollout.0, findings: review(&plan.document) })
}

/// Where a rollout is seen that was begun.
pub(super) fn watch_at(group: &str) -> [(HeaderName, String); 1] {
    [(header::LOCATION, format!("/api/v1/groups/{group}/rollout"))]
}

/// Says what a deploy would do.
pub(super) async fn dry_run(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(deploy): Body<Deploy>,
) -> Result<Json<DryRun>, Failure> {
    let plan = plan(&api, &group, &deploy).await?;
    Ok(Json(dry_run_of(&api, &group, plan, deploy.rules).await?))
}

/// What a plan would do.
pub(super) async fn dry_run_of(api: &Api, group: &str, plan: Plan, asked: Option<Rules>) -> Result<DryRun, Failure> {
    let diff = plan.old.diff(&plan.new, api.key().await?.as_deref())?;
    let mut old = match plan.old.flows.is_null() {
        true => Document::default(),
        false => Document::from_value(plan.old.flows.clone()).unwrap_or_default(),
    };
    old.set_node_settings(&plan.old.nodes);
    let rules = rules(api, group, asked).await?;
    // Many settings are read when a node starts.
    let deploy_type = if diff.settings.is_empty() { rules.deploy_type } else { flotilla_flows::DeployType::Full };
    let names: Vec<String> = diff.env.keys().cloned().collect();
    let known = review(&old);
    Ok(DryRun {
        base: plan.base,
        revision: plan.new.id(),
        effects: effects(&old, &plan.document, deploy_type, &names),
        findings: review(&plan.document).into_iter().filter(|finding| !known.contains(finding)).collect(),
        missing: plan.new.missing,
        diff,
    })
}

/// Begins a rollout back to an earlier revision.
pub(super) async fn rollback(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(rollback): Body<Rollback>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Begun>), Failure> {
    refuse_protected(&api, &group, true, rollback.override_protection, "rollback", &caller).await?;
    let (desired, revisions) = (api.desired(&group)?, api.revisions(&group)?);
    let state = desired.load().await?.map(|(state, _)| state);
    let id = match &rollback.revision {
        Some(start) => revisions.resolve(start).await?,
        None => {
            let previous = state.as_ref().and_then(|state| state.previous.clone());
            previous.ok_or_else(|| GroupError::NoPrevious { group: group.clone() })?
        }
    };
    let rules = rules(&api, &group, rollback.rules).await?;
    let revision = revisions.load(&id).await?;
    let (id, rollout) = if revision.missing.is_empty() {
        let rollout = desired.begin(&id, None, &rules, "rollback", caller.origin()).await?;
        (id, rollout)
    } else {
        let own = match &state {
            Some(state) => revisions.load(&state.revision).await?,
            None => Revision::default(),
        };
        let filled = revision.filled(&own, api.key().await?.as_deref(), &api.secrets(&group)?.names().await?)?;
        refuse_missing(&filled)?;
        begin(&api, &group, &filled, None, &rules, "rollback", caller.origin()).await?
    };
    let begun = Begun { revision: id, rollout: rollout.0, findings: Vec::new() };
    Ok((StatusCode::ACCEPTED, watch_at(&group), Json(begun)))
}

/// Records a revision and begins the rollout to it, unless the group runs another than `base` by now.
pub(crate) async fn begin(
    api: &Api,
    group: &str,
    revision: &Revision,
    base: Option<&str>,
    rules: &Rules,
    why: &str,
    by: Origin,
) -> Result<(String, Rollout), Failure> {
    begin_after(api, group, revision, (base, None), rules, why, by).await
}

/// The same; `base` with the number of the last rollout, when no other may have begun.
pub(super) async fn begin_after(
    api: &Api,
    group: &str,
    revision: &Revision,
    (base, last): (Option<&str>, Option<u64>),
    rules: &Rules,
    why: &str,
    by: Origin,
) -> Result<(String, Rollout), Failure> {
    let revisions = api.revisions(group)?;
    let before = revisions.given(&revision.id()).await?;
    let id = revisions.record(revision, &by.actor).await?;
    let begun = api.desired(group)?.begin_after(&id, base, last, rules, why, by).await;
    if let Err(error) = &begun
        && before.is_none()
        && !matches!(error, GroupError::Store(_))
    {
        // A refused deploy leaves no revision behind that a rollback could choose.
        revisions.forget(&id).await?;
    }
    match begun {
        Ok(rollout) => Ok((id, rollout)),
        Err(GroupError::BaseChanged { base, now, .. }) => Err(base_changed(api, group, &base, &now).await),
        Err(error) => Err(error.into()),
    }
}

/// Refuses what changes the flows of a group that takes them from its pipeline only. Whoever does it all the same is in the
/// audit log.
pub(super) async fn refuse_protected(
    api: &Api,
    group: &str,
    brings: bool,
    over: bool,
    what: &str,
    caller: &Caller,
) -> Result<(), Failure> {
    let Some(pipeline) = api.specs().get(group).await?.protected_by.filter(|_| brings) else { return Ok(()) };
    if pipeline.strip_prefix(TOKEN).is_some_and(|id| caller.shows_token(id)) {
        return Ok(());
    }
    if !over {
        if let Some(id) = pipeline.strip_prefix(TOKEN) {
            let detail = format!(
                "group \"{group}\" takes flows from the other installation that has token {id} only; its values (env, secrets, \
                 credentials, settings) may be set as before; --override-protection of deploy and rollback does it all the same, \
                 and the audit log says so"
            );
            return Err(Problem::new(403, "protected", detail).into());
        }
        let detail = format!(
            "group \"{group}\" takes flows from pipeline \"{pipeline}\" only: `flotilla pipeline run {pipeline}`; its values (env, \
             secrets, credentials, settings) may be set as before; --override-protection does it all the same, and the audit \
             log says so"
        );
        return Err(Problem::new(403, "protected", detail).into());
    }
    caller.require(Right::Own, group)?;
    let why = format!("{what} beside pipeline {pipeline}");
    Ok(api.audit(group)?.write(caller.entry("protection-override", why)).await?)
}

/// Keeps the tests of a deploy with its revision; without any those of the revision before.
async fn keep_tests(api: &Api, group: &str, deploy: &Deploy, plan: &Plan) -> Result<(), Failure> {
    let revisions = api.revisions(group)?;
    let tests = match (&deploy.tests, &plan.base) {
        (Some(tests), _) => Some(tests.clone()),
        (None, Some(base)) => revisions.tests(base).await?,
        (None, None) => None,
    };
    if let Some(tests) = tests {
        revisions.set_tests(&plan.new.id(), &tests).await?;
    }
    Ok(())
}

/// Sets the secrets that a deploy brings, if they differ.
async fn take_secrets(
    api: &Api,
    group: &str,
    deploy: &Deploy,
    new: &mut Revision,
    caller: &Caller,
) -> Result<(), Failure> {
    if deploy.set_secrets.is_empty() {
        return Ok(());
    }
    if let Some((state, _)) = api.desired(group)?.load().await?
        && let Some(active) = state.active()
    {
        return Err(GroupError::RolloutActive { group: group.to_owned(), number: active.number }.into());
    }
    let secrets = api.secrets(group)?;
    let now = secrets.values(api.key().await?.as_deref()).await?;
    if deploy.set_secrets.iter().any(|(name, value)| now.get(name) != Some(value)) {
        new.secrets = secrets.change(&deploy.set_secrets, &[], api.key().await?.as_deref()).await?;
        let names: Vec<&str> = deploy.set_secrets.keys().map(String::as_str).collect();
        let why = format!("secrets {}", names.join(", "));
        api.audit(group)?.write(caller.entry("secrets-change", why)).await?;
    }
    Ok(())
}

pub(super) fn refuse_missing(revision: &Revision) -> Result<(), GroupError> {
    match revision.missing.as_slice() {
        [] => Ok(()),
        missing => Err(GroupError::Missing { revision: revision.id(), missing: missing.to_vec() }),
    }
}

/// The rules that are asked for, or the group's.
pub(crate) async fn rules(api: &Api, group: &str, asked: Option<Rules>) -> Result<Rules, Failure> {
    match (asked, api.specs().get(group).await) {
        (Some(rules), _) => Ok(rules),
        (None, Ok(spec)) => Ok(spec.rollout),
        (None, Err(GroupError::NoGroup(_))) => Ok(Rules::default()),
        (None, Err(error)) => Err(error.into()),
    }
}
