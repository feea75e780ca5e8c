//! Where replicas run: server groups, checks, a group's places.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::placement::{
    Joined, PlacementCheck, PlacementSpec, PlacementSummary, Proposed, ServerGroupJoin, ServerGroupRules,
    ServerGroupSpec, ServerGroupStatus,
};
use flotilla_group::GroupError;
use flotilla_group::host::{Hosts, Known};
use flotilla_group::member::Gateways;
use flotilla_group::placement::{
    GroupSeen, Placement, PlacementError, PlacementRules, PlacementView, Places, decide, member_name, propose, summary,
    violated,
};
use flotilla_group::rights::Right;
use flotilla_group::scheduler::{Ledger, observe};

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// The document, and what decisions are made from.
async fn look(api: &Api) -> Result<(Placement, PlacementView), Failure> {
    let (placement, _) = Ledger::new(api.store.clone()).load().await?;
    let seen = observe(&api.store, &placement, PlacementRules::default(), false).await?;
    Ok((placement, seen))
}

fn show(
    placement: &Placement,
    seen: &PlacementView,
    caller: &Caller,
    name: &str,
) -> Result<ServerGroupStatus, Failure> {
    let none = || GroupError::from(PlacementError::NoServerGroup(name.to_owned()));
    let group = placement.server_groups.get(name).ok_or_else(none)?;
    let of = placement.groups.iter().filter(|(_, places)| places.server_group.as_deref() == Some(name));
    let groups: Vec<String> = of.map(|(group, _)| group.clone()).filter(|group| caller.sees(group)).collect();
    Ok(ServerGroupStatus {
        name: name.to_owned(),
        policy: group.policy,
        rules: ServerGroupRules { max_server_per_host: group.most() },
        domain: group.domain,
        members: groups.iter().flat_map(|group| summary(placement, group)).collect(),
        violated: of_seen(violated(placement, seen, name), caller),
        groups,
    })
}

/// What is about groups that the caller may look at.
fn of_seen(found: Vec<(String, String)>, caller: &Caller) -> Vec<String> {
    found.into_iter().filter(|(group, _)| caller.sees(group)).map(|(_, why)| why).collect()
}

/// `GET /api/v1/server-groups`: all server groups, by name.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Result<Page<ServerGroupStatus>, Failure> {
    let (placement, seen) = look(&api).await?;
    let shown: Result<Vec<_>, Failure> =
        placement.server_groups.keys().map(|name| show(&placement, &seen, &caller, name)).collect();
    paging.of(shown?, |group| group.name.clone())
}

/// `POST /api/v1/server-groups`
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(spec): Body<ServerGroupSpec>,
) -> Result<(StatusCode, Json<ServerGroupStatus>), Failure> {
    Ledger::new(api.store.clone()).add_server_group(&spec).await?;
    let entry = caller.entry("server-group-create", format!("server group \"{}\": {}", spec.name, spec.policy));
    api.system_audit().write(entry).await?;
    let (placement, seen) = look(&api).await?;
    Ok((StatusCode::CREATED, Json(show(&placement, &seen, &caller, &spec.name)?)))
}

/// `GET /api/v1/server-groups/{name}`
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ServerGroupStatus>, Failure> {
    let (placement, seen) = look(&api).await?;
    Ok(Json(show(&placement, &seen, &caller, &name)?))
}

/// `DELETE /api/v1/server-groups/{name}`: its members run on.
pub(super) async fn remove(Of(api): Of, caller: Caller, Path(name): Path<String>) -> Result<StatusCode, Failure> {
    Ledger::new(api.store.clone()).remove_server_group(&name).await?;
    let entry = caller.entry("server-group-delete", format!("server group \"{name}\""));
    api.system_audit().write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/server-groups/{name}/groups`: puts a group that exists into a server group, or says what that would move.
pub(super) async fn join(
    State(api): State<Api>,
    Path(name): Path<String>,
    caller: Caller,
    Body(join): Body<ServerGroupJoin>,
) -> Result<Json<Joined>, Failure> {
    let spec = api.specs().get(&join.group).await?;
    caller.require(Right::Own, &join.group)?;
    let (_, seen) = look(&api).await?;
    let group = GroupSeen { name: spec.name, placement: spec.placement, ..GroupSeen::default() };
    let ledger = Ledger::new(api.store.clone());
    let joined = ledger.add_group(&seen, &group, &name, join.move_members, join.plan).await?;
    if !join.plan {
        let why =
            format!("server group \"{name}\"; {} members move", if joined.planned { 0 } else { joined.moves.len() });
        api.audit(&join.group)?.write(caller.entry("server-group-add", why)).await?;
    }
    Ok(Json(joined))
}

/// `POST /api/v1/placement/check`: where a group's replicas would be placed. Changes nothing.
pub(super) async fn check(
    State(api): State<Api>,
    caller: Caller,
    Body(check): Body<PlacementCheck>,
) -> Result<Json<Proposed>, Failure> {
    let spec = match api.specs().get(&check.group).await {
        Ok(spec) => {
            caller.require(Right::View, &spec.name)?;
            Some(spec)
        }
        Err(GroupError::NoGroup(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let has = || spec.as_ref().map(|spec| spec.placement.clone()).unwrap_or_default();
    let asks = check.placement.clone().unwrap_or_else(has);
    let wanted =
        if check.replicas == 0 { spec.as_ref().map_or(1, |spec| spec.replicas.max(1)) } else { check.replicas };
    Ok(Json(fits(&api, &check.group, &asks, wanted, check.placement.is_some()).await?))
}

/// `GET /api/v1/groups/{group}/placement`: where a group's members are, and what is waited for.
pub(super) async fn of_group(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
) -> Result<Json<PlacementSummary>, Failure> {
    api.specs().get(&group).await?;
    let (placement, seen) = look(&api).await?;
    let decision = decide(&placement, &seen);
    let mut notes: Vec<String> =
        decision.notes.into_iter().filter(|(of, _)| *of == group).map(|(_, note)| note).collect();
    if let Some(server_group) = placement.groups.get(&group).and_then(|places| places.server_group.as_deref()) {
        let broken = of_seen(violated(&placement, &seen, server_group), &caller);
        notes.extend(broken.into_iter().map(|why| format!("server group \"{server_group}\" is violated: {why}")));
    }
    notes.extend(without_a_sign(&placement, &seen, &group));
    notes.extend(stands_once(&api, &group).await?);
    Ok(Json(PlacementSummary { members: summary(&placement, &group), notes }))
}

/// The lost hosts that members of a group are placed on.
fn without_a_sign(placement: &Placement, seen: &PlacementView, group: &str) -> Vec<String> {
    let Some(places) = placement.groups.get(group) else { return Vec::new() };
    let on = placement.lost.iter().filter_map(|(host, since)| Some((host, since, places.on.get(host)?)));
    on.map(|(host, since, numbers)| {
        let members: Vec<String> = numbers.iter().map(|number| member_name(group, *number)).collect();
        let seconds = seen.now_ms.saturating_sub(*since) / 1000;
        format!(
            "host \"{host}\" has given no sign of life for {seconds} s, with {}: placed elsewhere after --replace-after of \
             its agents",
            members.join(", ")
        )
    })
    .collect()
}

/// What of a group over several hosts stands once, and must not die.
async fn stands_once(api: &Api, group: &str) -> Result<Option<String>, Failure> {
    let replicas = api.registry(group)?.list().await?;
    let hosts: BTreeSet<&str> =
        replicas.iter().map(|replica| replica.host.as_str()).filter(|host| !host.is_empty()).collect();
    if hosts.len() < 2 || Gateways::new(api.store.clone(), group)?.count().await? > 1 {
        return Ok(None);
    }
    let on = hosts.len();
    Ok(Some(format!(
        "the replicas are on {on} hosts behind one gateway: its death stops HTTP traffic; start another `flotilla gateway` \
         with the same --store"
    )))
}

/// Where the missing ones of `wanted` replicas of a group would be. `supposed`: as if the group asked for this; else the server
/// group of one that has members is what the placement document says.
///
/// # Errors
/// `no_valid_host` when not all of them have a place.
pub(super) async fn fits(
    api: &Api,
    group: &str,
    asks: &PlacementSpec,
    wanted: u16,
    supposed: bool,
) -> Result<Proposed, Failure> {
    let (mut placement, seen) = look(api).await?;
    if supposed || !placement.groups.contains_key(group) {
        if let Some(name) = asks.server_group.as_ref().filter(|name| !placement.server_groups.contains_key(*name)) {
            return Err(GroupError::from(PlacementError::NoServerGroup(name.clone())).into());
        }
        if let Some(places) = placement.groups.get_mut(group).filter(|places| places.server_group != asks.server_group)
        {
            places.unbound = places.members().map(|(number, _)| number).collect();
            places.server_group.clone_from(&asks.server_group);
        }
    }
    let placed = placement.groups.get(group).map_or(0, Places::count);
    let (hosts, short) = propose(&placement, &seen, group, asks, usize::from(wanted).saturating_sub(placed));
    match short {
        Some(none) => Err(GroupError::from(PlacementError::NoValidHost(none)).into()),
        None => Ok(Proposed { placed, hosts }),
    }
}

/// The hosts whose agents start replicas of a group.
pub(super) async fn hosts_for(api: &Api, group: &str) -> Result<Vec<Known>, Failure> {
    let mut hosts = Hosts::new(api.store.clone()).list().await?;
    hosts.retain(|host| host.facts.own_group.is_empty() || host.facts.own_group == group);
    Ok(hosts)
}
