//! Environment variables of a group: those of its revision, and its secrets.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use flotilla_api::audit::AuditEntry;
use flotilla_api::env::{EnvVar, SecretChange, SecretsChanged};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use serde_json::Value;

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::deploy::{begin, rules};
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/env`: by name; no value of a secret. A secret wins over a variable of the revision.
pub(super) async fn list(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Vec<EnvVar>>, Failure> {
    api.specs().get(&group).await?;
    let mut vars = BTreeMap::new();
    if let Some((state, _)) = api.desired(&group)?.load().await? {
        let revision = api.revisions(&group)?.load(state.goal()).await?;
        for (name, value) in revision.env {
            vars.insert(name.clone(), EnvVar { name, value: Some(value), secret: false });
        }
    }
    for name in api.secrets(&group)?.names().await? {
        vars.insert(name.clone(), EnvVar { name, value: None, secret: true });
    }
    Ok(Json(vars.into_values().collect()))
}

/// `PUT /api/v1/groups/{group}/env/secrets`: sets and removes secrets, and rolls the change out: nodes that name one restart.
pub(super) async fn change_secrets(
    Of(api): Of,
    Path(group): Path<String>,
    caller: Caller,
    Body(change): Body<SecretChange>,
) -> Result<Json<SecretsChanged>, Failure> {
    api.specs().get(&group).await?;
    let state = api.desired(&group)?.load().await?.map(|(state, _)| state);
    if let Some(active) = state.as_ref().and_then(|state| state.active()) {
        return Err(GroupError::RolloutActive { group, number: active.number }.into());
    }
    let version = api.secrets(&group)?.change(&change.set, &change.unset, api.key().await?.as_deref()).await?;
    let names: Vec<&str> = change.set.keys().chain(&change.unset).map(String::as_str).collect();
    let why = format!("secrets {}", names.join(", "));
    api.audit(&group)?.write(secrets_entry(&caller, &change, &why)).await?;
    let Some(state) = state else { return Ok(Json(SecretsChanged { rollout: None })) };
    let old = api.revisions(&group)?.load(&state.revision).await?;
    let new = Revision { secrets: version, message: why.clone(), ..old };
    let rules = rules(&api, &group, None).await?;
    let (_, rollout) = begin(&api, &group, &new, Some(&state.revision), &rules, &why, caller.origin()).await?;
    Ok(Json(SecretsChanged { rollout: Some(rollout.number) }))
}

/// The names of what changed, and that it has a value: never the value.
fn secrets_entry(caller: &Caller, change: &SecretChange, why: &str) -> AuditEntry {
    let set = change.set.keys().map(|name| (name.clone(), Value::from("***")));
    let unset = change.unset.iter().map(|name| (name.clone(), Value::Null));
    AuditEntry { new: Value::Object(set.chain(unset).collect()), ..caller.entry("secrets-change", why) }
}
