//! Join tokens of a group.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_api::access::{JoinToken, MadeJoinToken, NewJoinToken};
use flotilla_api::audit::AuditEntry;
use flotilla_group::rights::Right;
use flotilla_group::sealing::newest;
use serde_json::json;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// How long a join token is good, unless it says otherwise.
const EXPIRES_S: u64 = 3600;
/// And at most.
const LONGEST_S: u64 = 30 * 24 * 3600;

/// `GET /api/v1/groups/{group}/join-tokens`: by id.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    paging: Paging,
) -> Result<Page<JoinToken>, Failure> {
    api.specs().get(&group).await?;
    paging.of(api.joins().list(&group).await?, |token| token.id.clone())
}

/// `POST /api/v1/groups/{group}/join-tokens`: the token wraps the group's key, and is shown in this answer and never again.
pub(super) async fn make(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(new): Body<NewJoinToken>,
) -> Result<(StatusCode, Json<MadeJoinToken>), Failure> {
    api.specs().get(&group).await?;
    let owner = match &new.owner {
        Some(owner) if owner != caller.name() => {
            caller.require_any(Right::Administer)?;
            api.accounts.users().get(owner).await?.name
        }
        _ => caller.name().to_owned(),
    };
    let expires_s = new.expires_s.unwrap_or(EXPIRES_S);
    if !(1..=LONGEST_S).contains(&expires_s) {
        let detail = format!("expires_s {expires_s} must be 1 to {LONGEST_S} seconds");
        return Err(Problem::new(400, "bad_expiry", detail).of_field("expires_s").into());
    }
    let Some(keys) = api.key().await? else {
        let detail = "a join token wraps the group's key: start the gateway with FLOTILLA_GROUP_KEY";
        return Err(Problem::new(422, "bad_key", detail).of_field("group_key").into());
    };
    let made = api.joins().make(&group, &owner, newest(&keys), expires_s).await?;
    let entry = AuditEntry { new: json!(made.token), ..caller.entry("join-token-new", &*made.token.id) };
    api.audit(&group)?.write(entry).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `DELETE /api/v1/groups/{group}/join-tokens/{id}`
pub(super) async fn revoke(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    if !api.joins().revoke(&group, &id).await? {
        let detail = format!("group \"{group}\" has no join token \"{id}\"");
        return Err(Problem::new(404, "no_such_token", detail).of_field("id").into());
    }
    api.audit(&group)?.write(caller.entry("join-token-revoke", id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
