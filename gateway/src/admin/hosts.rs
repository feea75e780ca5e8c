//! Hosts: list, show, drain, remove.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::placement::Host;
use flotilla_group::host::{Hosts, Known};
use flotilla_group::placement::{Placement, member_name};
use flotilla_group::scheduler::Ledger;

use super::api::{Api, Of};
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

fn show(placement: &Placement, caller: &Caller, known: Known) -> Host {
    let name = &known.facts.name;
    let seen = placement.groups.iter().filter(|(group, _)| caller.sees(group));
    let on = seen.filter_map(|(group, places)| Some((group, places.on.get(name)?)));
    Host {
        alive: known.load.is_some(),
        drained: placement.drained.contains(name),
        lost_since_ms: placement.lost.get(name).copied(),
        members: on.flat_map(|(group, on)| on.iter().map(move |number| member_name(group, *number))).collect(),
        load: known.load,
        facts: known.facts,
    }
}

async fn one(api: &Api, caller: &Caller, host: &str) -> Result<Host, Failure> {
    let known = Hosts::new(api.store.clone()).get(host).await?;
    let (placement, _) = Ledger::new(api.store.clone()).load().await?;
    Ok(show(&placement, caller, known))
}

/// `GET /api/v1/hosts`: all hosts, by name.
pub(super) async fn list(State(api): State<Api>, caller: Caller, paging: Paging) -> Result<Page<Host>, Failure> {
    let hosts = Hosts::new(api.store.clone()).list().await?;
    let (placement, _) = Ledger::new(api.store.clone()).load().await?;
    let shown = hosts.into_iter().map(|known| show(&placement, &caller, known)).collect();
    paging.of(shown, |host: &Host| host.facts.name.clone())
}

/// `GET /api/v1/hosts/{host}`
pub(super) async fn get(
    State(api): State<Api>,
    Path(host): Path<String>,
    caller: Caller,
) -> Result<Json<Host>, Failure> {
    Ok(Json(one(&api, &caller, &host).await?))
}

/// `POST /api/v1/hosts/{host}/drain`: its members are placed elsewhere, one of a group at a time, and nothing new on it.
pub(super) async fn drain(Of(api): Of, Path(host): Path<String>, caller: Caller) -> Result<Json<Host>, Failure> {
    set(&api, &caller, &host, true).await
}

/// `POST /api/v1/hosts/{host}/undrain`: it takes members again; what moved stays where it is.
pub(super) async fn undrain(Of(api): Of, Path(host): Path<String>, caller: Caller) -> Result<Json<Host>, Failure> {
    set(&api, &caller, &host, false).await
}

async fn set(api: &Api, caller: &Caller, host: &str, drained: bool) -> Result<Json<Host>, Failure> {
    Hosts::new(api.store.clone()).get(host).await?;
    let ledger = Ledger::new(api.store.clone());
    ledger.drain(host, drained).await?;
    let (placement, _) = ledger.load().await?;
    let action = if drained { "host-drain" } else { "host-undrain" };
    api.system_audit().write(caller.entry(action, format!("host \"{host}\""))).await?;
    for (group, _) in placement.groups.iter().filter(|(_, places)| places.on.contains_key(host)) {
        api.audit(group)?.write(caller.entry(action, format!("host \"{host}\""))).await?;
    }
    Ok(Json(one(api, caller, host).await?))
}

/// `DELETE /api/v1/hosts/{host}`: forgets a host whose agent has ended.
pub(super) async fn remove(Of(api): Of, caller: Caller, Path(host): Path<String>) -> Result<StatusCode, Failure> {
    Ledger::new(api.store.clone()).remove_host(&host).await?;
    api.system_audit().write(caller.entry("host-remove", format!("host \"{host}\""))).await?;
    Ok(StatusCode::NO_CONTENT)
}
