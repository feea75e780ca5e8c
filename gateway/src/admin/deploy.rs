//! `POST /api/v1/groups/{group}/deploy`, `.../deploy/dry-run` and `.../rollback`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use flotilla_api::deploy::{Begun, Deploy, DryRun, Rollback};
use flotilla_api::rollout::Rules;
use flotilla_flows::{Document, effects, review};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use flotilla_group::rollout::Rollout;

use super::api::{Api, Body};
use super::caller::Caller;
use super::plan::{base_changed, plan};
use super::problem::Failure;

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
    let plan = plan(api, group, &deploy).await?;
    refuse_missing(&plan.new)?;
    let rules = rules(api, group, deploy.rules).await?;
    let base = plan.base.as_deref();
    let (id, rollout) = begin(api, group, &plan.new, base, &rules, &deploy.message, caller).await?;
    Ok(Begun { revision: id, rollout: rollout.0, findings: review(&plan.document) })
}

/// Where a rollout is seen that was begun.
fn watch_at(group: &str) -> [(HeaderName, String); 1] {
    [(header::LOCATION, format!("/api/v1/groups/{group}/rollout"))]
}

/// Says what a deploy would do.
pub(super) async fn dry_run(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(deploy): Body<Deploy>,
) -> Result<Json<DryRun>, Failure> {
    let plan = plan(&api, &group, &deploy).await?;
    let diff = plan.old.diff(&plan.new, api.key.as_deref())?;
    let mut old = match plan.old.flows.is_null() {
        true => Document::default(),
        false => Document::from_value(plan.old.flows.clone()).unwrap_or_default(),
    };
    old.set_node_settings(&plan.old.nodes);
    let rules = rules(&api, &group, deploy.rules).await?;
    // Many settings are read when a node starts.
    let deploy_type = if diff.settings.is_empty() { rules.deploy_type } else { flotilla_flows::DeployType::Full };
    let names: Vec<String> = diff.env.keys().cloned().collect();
    let known = review(&old);
    Ok(Json(DryRun {
        base: plan.base,
        revision: plan.new.id(),
        effects: effects(&old, &plan.document, deploy_type, &names),
        findings: review(&plan.document).into_iter().filter(|finding| !known.contains(finding)).collect(),
        missing: plan.new.missing,
        diff,
    }))
}

/// Begins a rollout back to an earlier revision.
pub(super) async fn rollback(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(rollback): Body<Rollback>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Begun>), Failure> {
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
        let filled = revision.filled(&own, api.key.as_deref(), &api.secrets(&group)?.names().await?)?;
        refuse_missing(&filled)?;
        begin(&api, &group, &filled, None, &rules, "rollback", &caller).await?
    };
    let begun = Begun { revision: id, rollout: rollout.0, findings: Vec::new() };
    Ok((StatusCode::ACCEPTED, watch_at(&group), Json(begun)))
}

/// Records a revision and begins the rollout to it, unless the group runs another than `base` by now.
pub(super) async fn begin(
    api: &Api,
    group: &str,
    revision: &Revision,
    base: Option<&str>,
    rules: &Rules,
    why: &str,
    caller: &Caller,
) -> Result<(String, Rollout), Failure> {
    let revisions = api.revisions(group)?;
    let before = revisions.given(&revision.id()).await?;
    let id = revisions.record(revision, caller.name()).await?;
    let begun = api.desired(group)?.begin(&id, base, rules, why, caller.origin()).await;
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

fn refuse_missing(revision: &Revision) -> Result<(), GroupError> {
    match revision.missing.as_slice() {
        [] => Ok(()),
        missing => Err(GroupError::Missing { revision: revision.id(), missing: missing.to_vec() }),
    }
}

/// The rules that are asked for, or the group's.
pub(super) async fn rules(api: &Api, group: &str, asked: Option<Rules>) -> Result<Rules, Failure> {
    match (asked, api.specs().get(group).await) {
        (Some(rules), _) => Ok(rules),
        (None, Ok(spec)) => Ok(spec.rollout),
        (None, Err(GroupError::NoGroup(_))) => Ok(Rules::default()),
        (None, Err(error)) => Err(error.into()),
    }
}
