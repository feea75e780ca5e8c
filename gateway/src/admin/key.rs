//! The key that seals credentials, secrets and dead letters: look at it, replace it.

use axum::Json;
use axum::extract::State;
use flotilla_api::Problem;
use flotilla_api::audit::AuditEntry;
use flotilla_api::key::{KeyFinished, KeyRotated, KeyState, RotateKey};
use flotilla_group::rotation::Rotation;
use serde_json::json;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::problem::Failure;

/// `GET /api/v1/key`
pub(super) async fn show(State(api): State<Api>) -> Result<Json<KeyState>, Failure> {
    Ok(Json(rotation(&api).state().await?))
}

/// `POST /api/v1/key/rotate`: everything in the store that the gateway's key seals is sealed with another one.
pub(super) async fn rotate(
    State(api): State<Api>,
    caller: Caller,
    Body(asked): Body<RotateKey>,
) -> Result<Json<KeyRotated>, Failure> {
    if asked.key.is_none() && !api.ring.keeps() {
        let detail = "this gateway was given its key and cannot keep another one: send the new key, which you give to all processes";
        return Err(Problem::new(422, "no_new_key", detail).of_field("key").into());
    }
    let begun = rotation(&api).begin(asked.key.as_deref()).await?;
    let rotated = KeyRotated { from: begun.from, to: begun.to, written: begun.written };
    let entry = AuditEntry { new: json!(rotated), ..caller.entry("key-rotate", "everything is sealed with a new key") };
    api.system_audit().write(entry).await?;
    Ok(Json(rotated))
}

/// `POST /api/v1/key/finish`: the old key opens nothing any more.
pub(super) async fn finish(State(api): State<Api>, caller: Caller) -> Result<Json<KeyFinished>, Failure> {
    let written = rotation(&api).finish().await?;
    api.system_audit().write(caller.entry("key-finish", "the old key is out of use")).await?;
    Ok(Json(KeyFinished { written }))
}

fn rotation(api: &Api) -> Rotation {
    Rotation::new(api.store.clone(), api.ring.clone())
}
