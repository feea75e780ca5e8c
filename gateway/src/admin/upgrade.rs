//! Rolling upgrades of the binary: its chunks, and where the upgrade is.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_api::Problem;
use flotilla_api::placement::{Binary, BinaryChunk, NewBinary, NewUpgrade, Upgrade, UpgradeStatus, binary_name};
use flotilla_group::binary::Binaries;
use flotilla_group::placement::{Placement, PlacementRules, decide, number_of};
use flotilla_group::scheduler::{Ledger, observe};

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::parameters::Path;
use super::problem::Failure;

/// `POST /api/v1/binaries`
pub(super) async fn announce(
    State(api): State<Api>,
    caller: Caller,
    Body(binary): Body<NewBinary>,
) -> Result<Json<Binary>, Failure> {
    key(&api).await?;
    Ok(Json(Binaries::new(api.store.clone()).announce(&binary, caller.name()).await?))
}

/// `PUT /api/v1/binaries/{sha256}/chunks/{index}`
pub(super) async fn chunk(
    State(api): State<Api>,
    Path((sha256, index)): Path<(String, u32)>,
    Body(chunk): Body<BinaryChunk>,
) -> Result<StatusCode, Failure> {
    let bytes = STANDARD
        .decode(&chunk.data)
        .map_err(|error| Problem::new(400, "bad_value", format!("data is no base64: {error}")).of_field("data"))?;
    Binaries::new(api.store.clone()).put(&sha256, index, &bytes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/binaries/{sha256}/finish`: signs it, when all chunks fit the hash.
pub(super) async fn finish(
    State(api): State<Api>,
    Path(sha256): Path<String>,
    caller: Caller,
) -> Result<Json<Binary>, Failure> {
    let key = key(&api).await?;
    let (placement, _) = Ledger::new(api.store.clone()).load().await?;
    let finished = Binaries::new(api.store.clone()).finish(&sha256, &key, &in_use(&placement)).await?;
    let why = format!("binary {sha256}, {} bytes", finished.size);
    api.system_audit().write(caller.entry("binary-add", why)).await?;
    Ok(Json(finished))
}

/// `POST /api/v1/upgrade`
pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewUpgrade>,
) -> Result<(StatusCode, Json<Upgrade>), Failure> {
    if !new.sha256.is_empty() {
        Binaries::new(api.store.clone()).complete(&new.sha256).await?;
    }
    let upgrade = Ledger::new(api.store.clone()).begin_upgrade(&new, caller.name()).await?;
    let why =
        format!("upgrade {}: from {} to {}", upgrade.number, binary_name(&upgrade.from), binary_name(&upgrade.to));
    api.system_audit().write(caller.entry("upgrade-begins", why)).await?;
    Ok((StatusCode::CREATED, Json(of_seen(upgrade, &caller))))
}

/// `GET /api/v1/upgrade`
pub(super) async fn status(State(api): State<Api>, caller: Caller) -> Result<Json<UpgradeStatus>, Failure> {
    let (placement, _) = Ledger::new(api.store.clone()).load().await?;
    let mut waits_for = BTreeSet::new();
    if placement.upgrade.as_ref().is_some_and(Upgrade::is_active) {
        let seen = observe(&api.store, &placement, PlacementRules::default(), false).await?;
        let notes = decide(&placement, &seen).notes;
        // What is about a group is there twice: told of the group, and of all.
        let others = notes.iter().filter(|(group, _)| !group.is_empty() && !caller.sees(group));
        let hidden: BTreeSet<&String> = others.map(|(_, why)| why).collect();
        let shown = notes.iter().filter(|(group, why)| group.is_empty() && !hidden.contains(why));
        waits_for.extend(shown.map(|(_, why)| why.clone()));
    }
    Ok(Json(UpgradeStatus {
        binary: placement.binary,
        upgrade: placement.upgrade.map(|upgrade| of_seen(upgrade, &caller)),
        waits_for: waits_for.into_iter().collect(),
    }))
}

/// `POST /api/v1/upgrade/cancel`: what moved goes back.
pub(super) async fn cancel(State(api): State<Api>, caller: Caller) -> Result<Json<Upgrade>, Failure> {
    let upgrade = Ledger::new(api.store.clone()).cancel_upgrade(caller.name()).await?;
    let why = format!("upgrade {}", upgrade.number);
    api.system_audit().write(caller.entry("upgrade-cancel", why)).await?;
    Ok(Json(of_seen(upgrade, &caller)))
}

/// The binaries that agents run or may go back to.
fn in_use(placement: &Placement) -> Vec<&str> {
    let upgrade = placement.upgrade.iter().flat_map(|upgrade| [&*upgrade.from, &*upgrade.to]);
    upgrade.chain([&*placement.binary]).filter(|sha256| !sha256.is_empty()).collect()
}

/// In place of what failed in a group that the caller does not see.
const HIDDEN: &str = "a replica of another group failed";

/// What the caller may look at: not the replicas of other people's groups.
fn of_seen(mut upgrade: Upgrade, caller: &Caller) -> Upgrade {
    let may = |member: &str| {
        // A group's name may have dashes: everything before the number.
        member.rsplit_once('-').is_some_and(|(group, _)| number_of(group, member).is_some() && caller.sees(group))
    };
    for member in upgrade.members.iter().filter(|member| !may(&member.member)) {
        let by = format!("{}: ", member.by);
        if upgrade.reason.starts_with(&format!("host \"{}\": {by}", member.host)) {
            upgrade.reason = format!("host \"{}\": {HIDDEN}", member.host);
        }
        for host in upgrade.hosts.iter_mut().filter(|host| host.reason.starts_with(&by)) {
            HIDDEN.clone_into(&mut host.reason);
        }
    }
    upgrade.members.retain(|member| may(&member.member));
    upgrade.trial = upgrade.trial.filter(|trial| caller.sees(&trial.group));
    upgrade
}

async fn key(api: &Api) -> Result<std::sync::Arc<str>, Failure> {
    api.key().await?.ok_or_else(|| {
        let why = "this gateway has no key of the group, and agents run only what is signed with it: start gateways and agents \
                   with FLOTILLA_GROUP_KEY";
        Problem::new(422, "no_key", why).into()
    })
}
