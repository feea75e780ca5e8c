//! Revisions: list, show and copy.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::audit::AuditEntry;
use flotilla_api::revision::{Copied, Copy, Given, RevisionContent, RevisionDiff};
use flotilla_group::revision::Revision;
use flotilla_group::rights::Right;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/revisions`: oldest first. One that the group is given again has a new place, at the end.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    paging: Paging,
) -> Result<Page<Given>, Failure> {
    paging.of(api.revisions(&group)?.list().await?, |given| (given.time_ms, given.id.clone()))
}

/// `GET /api/v1/groups/{group}/revisions/{id}`: the document, its env and settings. Credentials are never shown.
pub(super) async fn get(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
) -> Result<Json<RevisionContent>, Failure> {
    let revisions = api.revisions(&group)?;
    let id = revisions.resolve(&id).await?;
    let revision = revisions.load(&id).await?;
    Ok(Json(RevisionContent {
        id,
        has_credentials: !revision.credentials.is_null(),
        flows: revision.flows,
        env: revision.env,
        settings: revision.settings,
        message: revision.message,
        nodes: revision.nodes,
        missing: revision.missing,
    }))
}

/// `GET /api/v1/groups/{group}/revisions/{from}/diff/{to}`: what differs; names of keys, never values.
pub(super) async fn diff(
    State(api): State<Api>,
    Path((group, from, to)): Path<(String, String, String)>,
) -> Result<Json<RevisionDiff>, Failure> {
    let revisions = api.revisions(&group)?;
    let old = revisions.load(&revisions.resolve(&from).await?).await?;
    let new = revisions.load(&revisions.resolve(&to).await?).await?;
    Ok(Json(old.diff(&new, api.key().await?.as_deref())?))
}

/// `POST /api/v1/groups/{group}/revisions/copy`: gives this group a revision of another. No value of env and
/// credentials goes along: this group's own are kept, and keys that it lacks are missing until they are set. Nothing is rolled
/// out.
pub(super) async fn copy(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(copy): Body<Copy>,
) -> Result<(StatusCode, Json<Copied>), Failure> {
    caller.require(Right::View, &copy.from)?;
    api.specs().get(&group).await?;
    let source = api.revisions(&copy.from)?;
    let id = source.resolve(&copy.revision).await?;
    let source = source.load(&id).await?;
    let own = api.key().await?;
    let (old, new) = (copy.from_key.as_deref().or(own.as_deref()), copy.key.as_deref().or(own.as_deref()));
    let own = match api.desired(&group)?.load().await? {
        Some((state, _)) => api.revisions(&group)?.load(&state.revision).await?,
        None => Revision::default(),
    };
    let mut revision = source.transfer(&own, old, new, &api.secrets(&group)?.names().await?, &[])?;
    let message = if revision.message.is_empty() { String::new() } else { format!(": {}", revision.message) };
    revision.message = format!("copy of {id} from group {}{message}", copy.from);
    let missing = revision.missing.clone();
    let copied = api.revisions(&group)?.record(&revision, caller.name()).await?;
    let entry = AuditEntry { revision: copied.clone(), ..caller.entry("revision-copy", revision.message) };
    api.audit(&group)?.write(entry).await?;
    Ok((StatusCode::CREATED, Json(Copied { revision: copied, missing })))
}
