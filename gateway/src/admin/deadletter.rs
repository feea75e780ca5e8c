//! Dead letters of a group: look at them, have them run again, discard them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_api::Problem;
use flotilla_api::deadletter::{DeadLetter, DeadLetterContent, NewPayload, ReplayLetter};
use flotilla_group::deadletter::CONTENT;
use serde_json::Value;

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/deadletters`: the oldest first, without their content.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    paging: Paging,
) -> Result<Page<DeadLetter>, Failure> {
    api.specs().get(&group).await?;
    paging.of(api.dead_letters(&group)?.list().await?, |letter| letter.id)
}

/// `GET /api/v1/groups/{group}/deadletters/{id}`: with its content.
pub(super) async fn get(
    State(api): State<Api>,
    Path((group, id)): Path<(String, u64)>,
) -> Result<Json<DeadLetterContent>, Failure> {
    api.specs().get(&group).await?;
    Ok(Json(api.dead_letters(&group)?.get(id).await?))
}

/// `POST /api/v1/groups/{group}/deadletters/{id}/replay`: one of the replicas runs it again, from its start or from the node that
/// failed. It leaves the box when that was successful; when not, it counts in `replays`.
pub(super) async fn replay(
    Of(api): Of,
    Path((group, id)): Path<(String, u64)>,
    caller: Caller,
    Body(ReplayLetter { at_failure, .. }): Body<ReplayLetter>,
) -> Result<(StatusCode, [(HeaderName, String); 1]), Failure> {
    api.specs().get(&group).await?;
    let found = api.dead_letters(&group)?.get(id).await?;
    let node = &found.letter.node;
    if at_failure && (found.message.is_none() || node.is_empty()) {
        let detail = format!(
            "dead letter {id} cannot be run again where it failed: its message was not kept there, as it was too large, or \
             replicas died of it; run it again from the start"
        );
        return Err(Problem::new(409, "no_message", detail).of_field("at_failure").into());
    }
    if !at_failure && found.payload.is_none() {
        let detail = format!(
            "dead letter {id} cannot be run again: its {} bytes were too many to be kept; discard it",
            found.letter.bytes
        );
        return Err(Problem::new(409, "no_content", detail).into());
    }
    let place = if at_failure { format!(", at node {node}") } else { String::new() };
    api.replays(&group)?.ask(&[id], at_failure).await?;
    api.audit(&group)?.write(caller.entry("deadletter-replay", format!("dead letter {id}{place}"))).await?;
    let seen_at = format!("/api/v1/groups/{group}/deadletters/{id}");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, seen_at)]))
}

/// `PUT /api/v1/groups/{group}/deadletters/{id}/payload`: what is run again is this payload, or where it failed this message.
pub(super) async fn edit(
    Of(api): Of,
    Path((group, id)): Path<(String, u64)>,
    caller: Caller,
    Body(NewPayload { payload, at_failure }): Body<NewPayload>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    let bytes = STANDARD.decode(&payload).map_err(|error| {
        Problem::new(400, "bad_payload", format!("the payload is not base64: {error}")).of_field("payload")
    })?;
    if bytes.len() > CONTENT {
        let detail = format!("the payload has {} bytes: dead letters have {CONTENT} at most", bytes.len());
        return Err(Problem::new(413, "payload_too_large", detail).of_field("payload").into());
    }
    let letters = api.dead_letters(&group)?;
    if at_failure {
        let message = serde_json::from_slice(&bytes).ok().filter(Value::is_object).ok_or_else(|| {
            let detail = "the message must be an object in JSON: it is what the node that failed gets";
            Problem::new(400, "bad_payload", detail).of_field("payload")
        })?;
        let node = letters.get(id).await?.letter.node;
        if node.is_empty() {
            let detail = format!("dead letter {id} failed in no node, as replicas died of it: edit its payload");
            return Err(Problem::new(409, "no_message", detail).of_field("at_failure").into());
        }
        letters.edit_message(id, message).await?;
        let why = format!("dead letter {id}: its message at node {node}, {} bytes", bytes.len());
        api.audit(&group)?.write(caller.entry("deadletter-edit", why)).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let before = letters.get(id).await?.letter.bytes;
    letters.edit(id, payload, bytes.len() as u64).await?;
    let why = format!("dead letter {id}: {} bytes in place of {before}", bytes.len());
    api.audit(&group)?.write(caller.entry("deadletter-edit", why)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/groups/{group}/deadletters/{id}`.
pub(super) async fn discard(
    Of(api): Of,
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
