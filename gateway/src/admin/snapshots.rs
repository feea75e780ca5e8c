//! Snapshots: revisions with a name.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use flotilla_api::Problem;
use flotilla_api::audit::AuditEntry;
use flotilla_api::deploy::{Begun, Rollback};
use flotilla_api::snapshot::{Export, ExportAs, Exported, NewSnapshot, Snapshot};
use flotilla_group::rights::Right;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::deploy::rollback;
use super::export::{flowfuse, flows, userdir};
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// What a snapshot is for has so many bytes at most.
const ONCE: usize = 200;

/// `GET /api/v1/groups/{group}/snapshots`: oldest first.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    paging: Paging,
) -> Result<Page<Snapshot>, Failure> {
    api.specs().get(&group).await?;
    paging.of(api.snapshots(&group)?.list().await?, |snapshot| snapshot.id)
}

/// `GET /api/v1/groups/{group}/snapshots/{id}`: by number, or the last one of a name.
pub(super) async fn get(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
) -> Result<Json<Snapshot>, Failure> {
    Ok(Json(api.snapshots(&group)?.find(&id).await?))
}

/// `POST /api/v1/groups/{group}/snapshots`: names the revision that the group runs, or another of its revisions.
pub(super) async fn add(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(new): Body<NewSnapshot>,
) -> Result<(StatusCode, Json<Snapshot>), Failure> {
    api.specs().get(&group).await?;
    let asked = match &new.once {
        Some(once) if once.is_empty() || once.len() > ONCE || once.chars().any(char::is_control) => {
            let detail = format!("once \"{once}\" must have 1 to {ONCE} characters");
            return Err(Problem::new(400, "bad_value", detail).of_field("once").into());
        }
        // Runs of our own pipelines find theirs by names that begin otherwise.
        Some(once) => format!("asked by {}: {once}", caller.name()),
        None => String::new(),
    };
    if !asked.is_empty()
        && let Some(first) = api.snapshots(&group)?.list().await?.into_iter().rev().find(|first| first.run == asked)
    {
        return Ok((StatusCode::OK, Json(first)));
    }
    let revision = match &new.revision {
        Some(start) => api.revisions(&group)?.resolve(start).await?,
        None => match api.desired(&group)?.load().await? {
            Some((state, _)) => state.revision,
            None => {
                let detail = format!("group \"{group}\" has no revision yet: deploy one");
                return Err(Problem::new(409, "no_revision", detail).into());
            }
        },
    };
    let snapshots = api.snapshots(&group)?;
    let snapshot = if asked.is_empty() {
        snapshots.add(&new.name, &new.description, &revision, caller.name()).await?
    } else {
        match snapshots.add_once(&new.name, &new.description, &revision, caller.name(), &asked).await? {
            (snapshot, true) => snapshot,
            (first, false) => return Ok((StatusCode::OK, Json(first))),
        }
    };
    audit(&api, &group, &caller, "snapshot-create", &snapshot).await?;
    Ok((StatusCode::CREATED, Json(snapshot)))
}

/// `DELETE /api/v1/groups/{group}/snapshots/{id}`: the revision stays.
pub(super) async fn remove(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    let removed = api.snapshots(&group)?.remove(&id).await?;
    audit(&api, &group, &caller, "snapshot-remove", &removed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/groups/{group}/snapshots/{id}/restore`: begins a rollout to the snapshot's revision.
pub(super) async fn restore(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
    caller: Caller,
    Body(how): Body<Rollback>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Begun>), Failure> {
    let snapshot = api.snapshots(&group)?.find(&id).await?;
    audit(&api, &group, &caller, "snapshot-restore", &snapshot).await?;
    let how = Rollback { revision: Some(snapshot.revision), ..how };
    rollback(State(api), Path(group), caller, Body(how)).await
}

/// `POST /api/v1/groups/{group}/snapshots/{id}/export`: its files, for FlowFuse, Node-RED or an editor. Credentials leave
/// only encrypted with a secret that is given.
pub(super) async fn export(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
    caller: Caller,
    Body(export): Body<Export>,
) -> Result<Json<Exported>, Failure> {
    if export.secrets {
        caller.require(Right::Own, &group)?;
    }
    if export.secrets && export.form != ExportAs::Flowfuse {
        let detail = "only a FlowFuse snapshot has secrets: leave --secrets out, or use --as flowfuse";
        return Err(Problem::new(400, "no_secrets_in_form", detail).of_field("secrets").into());
    }
    let snapshot = api.snapshots(&group)?.find(&id).await?;
    if !export.without_credentials && export.form != ExportAs::Flows {
        // They are encrypted with a secret that the caller chose: who gets them can read them.
        caller.require(Right::Own, &group)?;
    }
    let revision = api.revisions(&group)?.load(&snapshot.revision).await?;
    let files = match export.form {
        ExportAs::Flows => flows(&revision),
        ExportAs::Flowfuse => flowfuse(&api, &group, &snapshot, &revision, &export).await?,
        ExportAs::Userdir => userdir(&api, &revision, &export).await?,
    };
    audit(&api, &group, &caller, "snapshot-export", &snapshot).await?;
    Ok(Json(Exported { files }))
}

async fn audit(api: &Api, group: &str, caller: &Caller, action: &str, snapshot: &Snapshot) -> Result<(), Failure> {
    let why = format!("snapshot {} \"{}\"", snapshot.id, snapshot.name);
    let entry = AuditEntry { revision: snapshot.revision.clone(), ..caller.entry(action, why) };
    Ok(api.audit(group)?.write(entry).await?)
}
