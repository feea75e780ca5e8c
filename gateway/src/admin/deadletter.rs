//! Dead letters of a group: look at them, have them run again, discard them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_api::Problem;
use flotilla_api::deadletter::{DeadLetter, DeadLetterContent, NewPayload};
use flotilla_api::member::By;
use flotilla_group::deadletter::CONTENT;

use super::api::{Api, Body};
use super::caller::Caller;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/deadletters`: the oldest first, without their content.
pub(super) async fn list(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Vec<DeadLetter>>, Failure> {
    api.specs().get(&group).await?;
    Ok(Json(api.dead_letters(&group)?.list().await?))
}

/// `GET /api/v1/groups/{group}/deadletters/{id}`: with its content.
pub(super) async fn get(
    State(api): State<Api>,
    Path((group, id)): Path<(String, u64)>,
) -> Result<Json<DeadLetterContent>, Failure> {
    api.specs().get(&group).await?;
    Ok(Json(api.dead_letters(&group)?.get(id).await?))
}

/// `POST /api/v1/groups/{group}/deadletters/{id}/replay`: one of the replicas runs it again. It leaves the box when that
/// was successful; when not, it counts in `replays`.
pub(super) async fn replay(
    State(api): State<Api>,
    Path((group, id)): Path<(String, u64)>,
    caller: Caller,
    Body(By { .. }): Body<By>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    let found = api.dead_letters(&group)?.get(id).await?;
    if found.payload.is_none() {
        let detail = format!(
            "dead letter {id} cannot be run again: its {} bytes were too many to be kept; discard it",
            found.letter.bytes
        );
        return Err(Problem::new(409, "no_content", detail).into());
    }
    api.replays(&group)?.ask(&[id]).await?;
    api.audit(&group)?.write(caller.entry("deadletter-replay", format!("dead letter {id}"))).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /api/v1/groups/{group}/deadletters/{id}/payload`: what is run again is this payload.
pub(super) async fn edit(
    State(api): State<Api>,
    Path((group, id)): Path<(String, u64)>,
    caller: Caller,
    Body(NewPayload { payload }): Body<NewPayload>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    let bytes = STANDARD.decode(&payload).map_err(|error| {
        Problem::new(400, "bad_payload", format!("the payload is no base64: {error}")).of_field("payload")
    })?;
    if bytes.len() > CONTENT {
        let detail = format!("the payload has {} bytes: dead letters have {CONTENT} at most", bytes.len());
        return Err(Problem::new(413, "payload_too_large", detail).of_field("payload").into());
    }
    let letters = api.dead_letters(&group)?;
    let before = letters.get(id).await?.letter.bytes;
    letters.edit(id, payload, bytes.len() as u64).await?;
    let why = format!("dead letter {id}: {} bytes in place of {before}", bytes.len());
    api.audit(&group)?.write(caller.entry("deadletter-edit", why)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/groups/{group}/deadletters/{id}`.
pub(super) async fn discard(
    State(api): State<Api>,
    Path((group, id)): Path<(String, u64)>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    if !api.dead_letters(&group)?.discard(id).await? {
        let detail = format!("group \"{group}\" has no dead letter {id}: see `flotilla deadletter list`");
        return Err(Problem::new(404, "no_such_deadletter", detail).into());
    }
    api.audit(&group)?.write(caller.entry("deadletter-discard", format!("dead letter {id}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}
