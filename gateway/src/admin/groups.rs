//! Groups: list, add, show, remove, scale.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_api::access::{Grant, Role};
use flotilla_api::audit::AuditEntry;
use flotilla_api::group::{GroupRemoved, GroupSpec, GroupStatus, PauseChange, Scale};
use flotilla_api::replica::ReplicaState;
use flotilla_group::GroupError;
use flotilla_group::host::Known;
use flotilla_group::rights::Right;
use flotilla_group::scheduler::Ledger;
use serde_json::{Value, json};

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::drift::drift;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::placement::{fits, hosts_for};
use super::problem::Failure;
use crate::alerts::{Webhook, WebhookError};

/// Replicas of one group under `flotilla up` at most.
const MOST_OF_UP: u16 = 64;
/// Replicas of one group on hosts with agents at most.
const MOST: u16 = 10_000;

/// A group for the audit log.
fn shown(spec: &GroupSpec) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// True for a host whose agent lives.
fn lives(host: &Known) -> bool {
    host.load.is_some()
}

async fn show(api: &Api, spec: GroupSpec) -> Result<GroupStatus, Failure> {
    let replicas = api.registry(&spec.name)?.list().await?;
    let state = api.desired(&spec.name)?.load().await?;
    let drift = match &state {
        Some((state, _)) => drift(api, &spec.name, &state.revision).await?,
        None => String::new(),
    };
    let (revision, paused) = state.map(|(state, _)| (state.revision, state.pause)).unzip();
    let (mut placed, _) = Ledger::new(api.store.clone()).load().await?;
    let mut placement = spec.placement;
    placement.server_group = placed.groups.remove(&spec.name).and_then(|places| places.server_group);
    Ok(GroupStatus {
        paused: paused.flatten(),
        protected_by: spec.protected_by,
        drift,
        name: spec.name,
        description: spec.description,
        replicas: spec.replicas,
        rollout: spec.rollout,
        protected: spec.protected,
        placement,
        alerts: spec.alerts,
        revision,
        living: replicas.len(),
        ready: replicas.iter().filter(|replica| replica.state == ReplicaState::Ready).count(),
    })
}

/// `GET /api/v1/groups`
pub(super) async fn list(State(api): State<Api>, caller: Caller, paging: Paging) -> Result<Page<GroupStatus>, Failure> {
    let mut shown = Vec::new();
    for spec in api.specs().list().await?.into_iter().filter(|spec| caller.sees(&spec.name)) {
        shown.push(show(&api, spec).await?);
    }
    paging.of(shown, |group: &GroupStatus| group.name.clone())
}

/// Refuses a webhook that no alert could be sent to.
fn check_webhook(spec: &GroupSpec) -> Result<(), Problem> {
    let webhook = &spec.alerts.webhook;
    if webhook.is_empty() {
        return Ok(());
    }
    let bad = |error: WebhookError| Problem::new(400, "bad_webhook", error.to_string()).of_field("alerts.webhook");
    Webhook::new(webhook, None).map(drop).map_err(bad)
}

/// `POST /api/v1/groups`
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(spec): Body<GroupSpec>,
) -> Result<(StatusCode, Json<GroupStatus>), Failure> {
    check_webhook(&spec)?;
    let ledger = Ledger::new(api.store.clone());
    match api.specs().get(&spec.name).await {
        Ok(_) => return Err(GroupError::GroupExists(spec.name).into()),
        Err(GroupError::NoGroup(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if spec.replicas > 0 && hosts_for(&api, &spec.name).await?.iter().any(lives) {
        fits(&api, &spec.name, &spec.placement, spec.replicas, false).await?;
    }
    if let Some(server_group) = &spec.placement.server_group {
        ledger.bind(&spec.name, server_group).await?;
    }
    api.specs().add(&spec).await?;
    if caller.require(Right::Own, &spec.name).is_err() {
        // Any user may make a group, and owns it then.
        api.accounts.users().grant(caller.name(), &Grant::of(Role::Owner, &spec.name)).await?;
    }
    api.audit(&spec.name)?
        .write(AuditEntry { new: shown(&spec), ..caller.entry("group-add", &*spec.description) })
        .await?;
    Ok((StatusCode::CREATED, Json(show(&api, spec).await?)))
}

/// `GET /api/v1/groups/{group}`
pub(super) async fn get(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<GroupStatus>, Failure> {
    let spec = api.specs().get(&group).await?;
    Ok(Json(show(&api, spec).await?))
}

/// `PUT /api/v1/groups/{group}`: replaces what users say of a group. Its name stays.
pub(super) async fn replace(
    Of(api): Of,
    Path(group): Path<String>,
    caller: Caller,
    Body(spec): Body<GroupSpec>,
) -> Result<Json<GroupStatus>, Failure> {
    if spec.name != group {
        let detail = format!("the group is \"{group}\", not \"{}\": a group keeps its name", spec.name);
        return Err(Problem::new(400, "bad_name", detail).of_field("name").into());
    }
    check_webhook(&spec)?;
    let old = api.specs().get(&group).await?;
    let (placed, _) = Ledger::new(api.store.clone()).load().await?;
    let bound = placed.groups.get(&group).and_then(|places| places.server_group.clone());
    // It is not edited: a document that does not name it leaves it as it is.
    if spec.placement.server_group.is_some() && spec.placement.server_group != bound {
        let detail = format!(
            "the server group of a group that exists is not edited: `flotilla server-group add NAME --group {group} --plan` \
             shows what a change would move"
        );
        return Err(Problem::new(409, "server_group_fixed", detail).of_field("placement.server_group").into());
    }
    api.specs().replace(&spec).await?;
    let old = shown(&old);
    let entry = AuditEntry { old, new: shown(&spec), ..caller.entry("group-edit", &*spec.description) };
    api.audit(&group)?.write(entry).await?;
    Ok(Json(show(&api, spec).await?))
}

/// `DELETE /api/v1/groups/{group}`: also for a group that was removed and left MQTT sessions which could not be ended then.
pub(super) async fn remove(
    Of(api): Of,
    Path(group): Path<String>,
    caller: Caller,
) -> Result<Json<GroupRemoved>, Failure> {
    let owed = api.sessions(&group)?;
    match api.specs().get(&group).await {
        Err(GroupError::NoGroup(_)) if api.is_left(&group).await? => {}
        found => {
            found?;
            // Before the group goes: who asks again, after a crash too, finds what is still to be done.
            owed.owe().await?;
            api.specs().remove(&group).await?;
        }
    }
    api.accounts.users().forget_group(&group).await?;
    api.joins().forget_group(&group).await?;
    let sessions = match &api.ender {
        Some(ender) => ender.end(&group).await,
        None => Vec::new(),
    };
    let left = sessions.iter().filter(|session| session.problem.is_some()).count();
    if left == 0 {
        owed.settle().await?;
    }
    let why = match sessions.len() {
        0 => String::new(),
        all => format!("{} MQTT sessions ended, {left} left at their brokers", all - left),
    };
    api.audit(&group)?.write(caller.entry("group-remove", why)).await?;
    Ok(Json(GroupRemoved { sessions }))
}

/// `PUT /api/v1/groups/{group}/scale`: how many replicas hosts keep running.
pub(super) async fn scale(
    Of(api): Of,
    Path(group): Path<String>,
    caller: Caller,
    Body(scale): Body<Scale>,
) -> Result<Json<GroupStatus>, Failure> {
    let spec = api.specs().get(&group).await?;
    let hosts = hosts_for(&api, &group).await?;
    let is_up = |host: &Known| !host.facts.own_group.is_empty();
    // The group that `flotilla up` is there for has at least one.
    let least = u16::from(hosts.iter().any(is_up));
    let range = least..=if least == 1 && hosts.iter().all(is_up) { MOST_OF_UP } else { MOST };
    if !range.contains(&scale.replicas) {
        let detail = format!("replicas {} must be {} to {}", scale.replicas, range.start(), range.end());
        return Err(Problem::new(400, "bad_replicas", detail).of_field("replicas").into());
    }
    if !hosts.iter().any(lives) {
        let detail = format!(
            "nothing starts and stops replicas of group \"{group}\", so that nothing would happen: start `flotilla agent` on a \
             machine, or replicas by hand with `flotilla replica --group {group}`"
        );
        return Err(Problem::new(409, "no_supervisor", detail).of_field("replicas").into());
    }
    if scale.replicas > spec.replicas {
        fits(&api, &group, &spec.placement, scale.replicas, false).await?;
    }
    let before = spec.replicas;
    let spec = api.specs().scale(&group, scale.replicas).await?;
    // A rollout that runs counts with the new size.
    let size = usize::from(scale.replicas);
    let desired = api.desired(&group)?;
    let resized = desired.change(caller.origin(), |rollout, _| {
        rollout.size = size;
        true
    });
    match resized.await {
        Ok(_) | Err(GroupError::NoRollout { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    api.audit(&group)?
        .write(AuditEntry {
            old: json!({"replicas": before}),
            new: json!({"replicas": scale.replicas}),
            ..caller.entry("scale", format!("to {} replicas", scale.replicas))
        })
        .await?;
    Ok(Json(show(&api, spec).await?))
}

/// `POST /api/v1/groups/{group}/pause`: sources stop, brokers keep what comes, requests are answered 503.
pub(super) async fn pause(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(change): Body<PauseChange>,
) -> Result<Json<GroupStatus>, Failure> {
    set_pause(&api, &group, true, change, &caller).await
}

/// `POST /api/v1/groups/{group}/resume`
pub(super) async fn resume(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(change): Body<PauseChange>,
) -> Result<Json<GroupStatus>, Failure> {
    set_pause(&api, &group, false, change, &caller).await
}

async fn set_pause(
    api: &Api,
    group: &str,
    paused: bool,
    change: PauseChange,
    caller: &Caller,
) -> Result<Json<GroupStatus>, Failure> {
    let spec = api.specs().get(group).await?;
    if api.desired(group)?.set_pause(paused, &change.why, caller.name()).await? {
        let action = if paused { "group-pause" } else { "group-resume" };
        api.audit(group)?.write(caller.entry(action, change.why)).await?;
    }
    Ok(Json(show(api, spec).await?))
}
