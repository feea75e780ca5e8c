//! `POST /api/v1/groups/{group}/deploy` and `.../rollback`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_api::deploy::{Begun, Deploy, Rollback};
use flotilla_api::member::name;
use flotilla_api::problem::Part;
use flotilla_api::rollout::Rules;
use flotilla_flows::{
    ALLOW_UNKNOWN, Document, Refusal, UnknownType, encrypt_credentials, read_credentials, refusal, review,
};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use serde_json::{Map, Value};

use super::api::{Api, Body};
use super::problem::Failure;

/// Everything that keeps a document from running, at once.
fn problems(document: &Document, known: &[String], allow_unknown: bool) -> Vec<Part> {
    let Refusal { errors, unknown } = refusal(document, |kind| known.iter().any(|known| known == kind));
    let invalid = errors.into_iter().map(|problem| Part {
        code: "invalid".into(),
        detail: problem.message,
        node: problem.node,
        name: problem.name,
        field: problem.field.to_owned(),
        more: Map::new(),
    });
    let unknown = unknown.into_iter().filter(|_| !allow_unknown).map(unknown_type);
    invalid.chain(unknown).collect()
}

fn unknown_type(node: UnknownType) -> Part {
    let detail = format!("node type \"{}\" on tab \"{}\" is not known here; {}", node.kind, node.tab, node.origin());
    let more = [("type", node.kind.into()), ("tab", node.tab.into()), ("package", node.package.into())];
    Part {
        code: "unknown_type".into(),
        detail,
        node: node.node,
        name: node.name,
        field: String::new(),
        more: more.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect(),
    }
}

/// Checks a document, records the revision and begins the rollout to it.
pub(super) async fn deploy(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(deploy): Body<Deploy>,
) -> Result<(StatusCode, Json<Begun>), Failure> {
    let document = Document::from_value(deploy.flows.clone())
        .map_err(|error| Problem::new(422, "not_a_flow_document", error.to_string()).of_field("flows"))?;
    let found = problems(&document, &api.types.known, api.types.allow_unknown || deploy.allow_unknown);
    if !found.is_empty() {
        let lines: Vec<_> = found.iter().map(|problem| problem.detail.as_str()).collect();
        let detail = format!("the flow document cannot run: {}", lines.join("; "));
        return Err(Problem { problems: found, ..Problem::new(422, "cannot_run", detail).of_field("flows") }.into());
    }
    let credentials = seal(&api, &deploy)?;
    let mut settings = deploy.settings;
    if deploy.allow_unknown {
        settings.insert(ALLOW_UNKNOWN.to_owned(), true.into());
    }
    let revision =
        Revision { flows: deploy.flows, credentials, env: deploy.env, settings, message: deploy.message.clone() };
    let actor = name(&deploy.actor);
    let rules = rules(&api, &group, deploy.rules).await?;
    let id = api.revisions(&group)?.record(&revision, actor).await?;
    let rollout = api.desired(&group)?.begin(&id, &rules, &deploy.message, actor).await?;
    Ok((StatusCode::ACCEPTED, Json(Begun { revision: id, rollout: rollout.0, findings: review(&document) })))
}

/// The credentials, encrypted with the group's key.
fn seal(api: &Api, deploy: &Deploy) -> Result<Value, Failure> {
    if !deploy.credentials.is_object() {
        return Ok(Value::Null);
    }
    let plain = read_credentials(&deploy.credentials, deploy.credential_secret.as_deref())
        .map_err(|error| Problem::new(422, "bad_credentials", error.to_string()).of_field("credentials"))?;
    match &api.key {
        Some(key) => Ok(encrypt_credentials(&plain, key)),
        None => {
            let detail =
                "credentials are kept encrypted with the group's key: start the gateway with FLOTILLA_GROUP_KEY";
            Err(Problem::new(409, "no_group_key", detail).of_field("credentials").into())
        }
    }
}

/// Begins a rollout back to an earlier revision.
pub(super) async fn rollback(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(rollback): Body<Rollback>,
) -> Result<(StatusCode, Json<Begun>), Failure> {
    let desired = api.desired(&group)?;
    let id = match &rollback.revision {
        Some(start) => api.revisions(&group)?.resolve(start).await?,
        None => {
            let state = desired.load().await?;
            let previous = state.and_then(|(state, _)| state.previous);
            previous.ok_or_else(|| GroupError::NoPrevious { group: group.clone() })?
        }
    };
    let actor = name(&rollback.actor);
    let rules = rules(&api, &group, rollback.rules).await?;
    let rollout = desired.begin(&id, &rules, "rollback", actor).await?;
    Ok((StatusCode::ACCEPTED, Json(Begun { revision: id, rollout: rollout.0, findings: Vec::new() })))
}

async fn rules(api: &Api, group: &str, asked: Option<Rules>) -> Result<Rules, Failure> {
    match (asked, api.specs().get(group).await) {
        (Some(rules), _) => Ok(rules),
        (None, Ok(spec)) => Ok(spec.rollout),
        (None, Err(GroupError::NoGroup(_))) => Ok(Rules::default()),
        (None, Err(error)) => Err(error.into()),
    }
}
