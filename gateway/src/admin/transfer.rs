//! What pipelines of other installations bring to a group, and take from it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_api::audit::{AuditEntry, Origin};
use flotilla_api::deploy::DryRun;
use flotilla_api::rollout::Phase;
use flotilla_api::transfer::{Transfer, TransferContent, TransferProgress, TransferState, Transferred};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use schemars::JsonSchema;
use serde::Deserialize;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::deploy::{begin_after, dry_run_of, refuse_missing, refuse_protected, rules, watch_at};
use super::parameters::{Path, Query};
use super::plan::{Plan, plan_transfer};
use super::problem::Failure;
use super::rollout::waits_for;

/// How a transfer came, for the audit log: no other request can say it.
const SOURCE: &str = "transfer";
/// Attempts at a transfer that other rollouts interfere with.
const ATTEMPTS: usize = 5;
/// An id has so many characters at most, and a reason, too.
const LONGEST: usize = 200;

/// Which transfer.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Which {
    /// Its id.
    #[serde(default)]
    id: String,
}

/// `GET /api/v1/groups/{group}/revisions/{id}/transfer`: what of a revision goes to another group: no value of env and no
/// credential.
pub(super) async fn content(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
) -> Result<Json<TransferContent>, Failure> {
    let revisions = api.revisions(&group)?;
    let id = revisions.resolve(&id).await?;
    let revision = revisions.load(&id).await?;
    let tests = revisions.tests(&id).await?;
    Ok(Json(travels(&revision, tests, api.key().await?.as_deref())?))
}

/// `GET /api/v1/groups/{group}/transfer?id=`: what it comes to, and how it went.
pub(super) async fn state(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Query(Which { id }): Query<Which>,
) -> Result<Json<TransferState>, Failure> {
    check_id(&id)?;
    api.specs().get(&group).await?;
    let state = api.desired(&group)?.load().await?.map(|(state, _)| state);
    Ok(Json(TransferState {
        active: state.as_ref().and_then(|state| state.active()).map(|active| active.number),
        revision: state.map(|state| state.revision),
        begun: begun(&api, &group, &caller, &id).await?,
    }))
}

/// `POST /api/v1/groups/{group}/transfer/dry-run`: what it would do. Nothing is written.
pub(super) async fn dry_run(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(transfer): Body<Transfer>,
) -> Result<Json<DryRun>, Failure> {
    check_id(&transfer.id)?;
    refuse_protected(&api, &group, true, false, SOURCE, &caller).await?;
    let plan = plan_of(&api, &group, &transfer).await?;
    Ok(Json(dry_run_of(&api, &group, plan, None).await?))
}

/// `POST /api/v1/groups/{group}/transfer`: begins the rollout, once for each id.
pub(super) async fn transfer(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(transfer): Body<Transfer>,
) -> Result<Response, Failure> {
    check_id(&transfer.id)?;
    for _ in 0..ATTEMPTS {
        match once(&api, &group, &caller, &transfer).await {
            // Perhaps it was this very transfer, by a request whose client has given up.
            Err(failure) if failure.0.code == "overtaken" => {}
            other => return other,
        }
    }
    Err(GroupError::Busy { group }.into())
}

/// Begins it unless it began, or another rollout did in between.
async fn once(api: &Api, group: &str, caller: &Caller, transfer: &Transfer) -> Result<Response, Failure> {
    // In this order: what begins behind them is found at the next time.
    let behind = api.audit(group)?.last().await?;
    let last = api.desired(group)?.load().await?.and_then(|(state, _)| state.rollout).map_or(0, |last| last.number);
    if let Some(TransferProgress { revision, rollout, .. }) = begun(api, group, caller, &transfer.id).await? {
        return Ok(Json(Transferred { revision, rollout }).into_response());
    }
    refuse_protected(api, group, true, false, SOURCE, caller).await?;
    let Plan { base, new, .. } = plan_of(api, group, transfer).await?;
    refuse_missing(&new)?;
    let id = new.id();
    if let Some(tests) = &transfer.content.tests {
        api.revisions(group)?.set_tests(&id, tests).await?;
    }
    let there = Transferred { revision: id.clone(), rollout: 0 };
    if base.as_ref() == Some(&id) {
        return Ok(Json(there).into_response());
    }
    let rules = rules(api, group, None).await?;
    let why: String = transfer.why.chars().take(LONGEST).collect();
    let why = format!("{why} [{}]", transfer.id);
    let origin = Origin { source: SOURCE.to_owned(), ..caller.origin() };
    api.transfers(group)?.begins(caller.name(), &transfer.id, behind).await?;
    match begin_after(api, group, &new, (base.as_deref(), Some(last)), &rules, &why, origin).await {
        Ok((revision, rollout)) => {
            let begun = Json(Transferred { revision, rollout: rollout.number });
            Ok((StatusCode::ACCEPTED, watch_at(group), begun).into_response())
        }
        Err(failure) if failure.0.code == "unchanged" => Ok(Json(there).into_response()),
        Err(failure) => Err(failure),
    }
}

/// The flows and settings of a revision, and names of what it needs a value for.
pub(crate) fn travels(
    revision: &Revision,
    tests: Option<String>,
    key: Option<&str>,
) -> Result<TransferContent, Failure> {
    // What a group without anything lacks of it is all that it needs.
    let bare = revision.transfer(&Revision::default(), key, key, &[], &[])?;
    Ok(TransferContent { flows: bare.flows, settings: bare.settings, nodes: bare.nodes, needs: bare.missing, tests })
}

async fn plan_of(api: &Api, group: &str, transfer: &Transfer) -> Result<Plan, Failure> {
    let Transfer { content, own_settings, message, .. } = transfer;
    let source = Revision {
        flows: content.flows.clone(),
        settings: content.settings.clone(),
        nodes: content.nodes.clone(),
        missing: content.needs.clone(),
        message: message.clone(),
        ..Revision::default()
    };
    plan_transfer(api, group, &source, own_settings).await
}

/// What a transfer of the caller's began. When other rollouts followed, the audit log knows it, behind where it was first asked
/// for.
async fn begun(api: &Api, group: &str, caller: &Caller, id: &str) -> Result<Option<TransferProgress>, Failure> {
    let mark = format!("[{id}]");
    let is_it = |entry: &&AuditEntry| {
        (entry.action.as_str(), entry.source.as_str(), entry.actor.as_str()) == ("deploy", SOURCE, caller.name())
            && entry.why.ends_with(&mark)
    };
    let last = api.desired(group)?.load().await?.and_then(|(state, _)| state.rollout);
    if let Some(rollout) = last.filter(|rollout| rollout.log.first().as_ref().is_some_and(is_it)) {
        let waits_for = waits_for(api, group, &rollout).await?.unwrap_or_default();
        return Ok(Some(TransferProgress {
            revision: rollout.to.clone(),
            rollout: rollout.number,
            phase: Some(rollout.phase),
            from: rollout.from.clone(),
            reason: rollout.reason.clone(),
            waits_for,
            members: rollout.members.clone(),
        }));
    }
    let Some(behind) = api.transfers(group)?.behind(caller.name(), id).await? else { return Ok(None) };
    let log = api.audit(group)?.behind(behind).await?;
    let Some(entry) = log.iter().rev().find(is_it) else { return Ok(None) };
    let end = log.iter().filter(|other| other.rollout == entry.rollout).find_map(|other| match &*other.action {
        "rollout-done" => Some((Phase::Done, String::new())),
        "rollout-returned" => Some((Phase::Returned, other.why.clone())),
        _ => None,
    });
    let (phase, reason) = end.map_or((None, String::new()), |(phase, reason)| (Some(phase), reason));
    Ok(Some(TransferProgress {
        revision: entry.revision.clone(),
        rollout: entry.rollout,
        phase,
        from: String::new(),
        reason,
        waits_for: String::new(),
        members: Vec::new(),
    }))
}

fn check_id(id: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | ':' | '-' | ' ');
    if (1..=LONGEST).contains(&id.len()) && id.chars().all(fits) {
        return Ok(());
    }
    let detail = format!("id \"{id}\" must be 1 to {LONGEST} of a-z A-Z 0-9 . _ / : - and blanks");
    Err(Problem::new(400, "bad_value", detail).of_field("id").into())
}
