//! `POST /api/v1/groups/{group}/deploy` and `.../rollback`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flotilla_flows::{Document, UnknownType, encrypt_credentials, expand, read_credentials, review, unknown_types};
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use flotilla_group::rollout::Rules;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::api::{Api, Body};
use super::problem::Problem;

/// The setting of a revision that lets its unknown node types swallow messages, in every replica.
const ALLOW_UNKNOWN: &str = "allowUnknown";

/// The body of a deploy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    flows: Value,
    #[serde(default)]
    credentials: Value,
    /// Node-RED's credentialSecret, when the credentials are encrypted.
    #[serde(default)]
    credential_secret: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    allow_unknown: bool,
    #[serde(default)]
    rules: Option<Rules>,
}

/// The body of a rollback.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    /// The revision, or its first digits; without it the good one before this one.
    #[serde(default)]
    revision: Option<String>,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    rules: Option<Rules>,
}

/// Everything that keeps a document from running, at once.
fn problems(document: &Document, known: &[String], allow_unknown: bool) -> Vec<Value> {
    let expanded = expand(document);
    let mut found: Vec<Value> = expanded
        .problems
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| json!({"code": "invalid", "node": problem.node, "name": problem.name, "field": problem.field, "detail": problem.message}))
        .collect();
    if !allow_unknown {
        found
            .extend(unknown_types(&expanded.graph, |kind| known.iter().any(|known| known == kind)).iter().map(unknown));
    }
    found
}

fn unknown(node: &UnknownType) -> Value {
    let detail = format!("node type \"{}\" on tab \"{}\" is not known here; {}", node.kind, node.tab, node.origin());
    let mut problem = json!({"code": "unknown_type", "detail": detail});
    if let (Value::Object(problem), Ok(Value::Object(fields))) = (&mut problem, serde_json::to_value(node)) {
        problem.extend(fields);
    }
    problem
}

/// Checks a document, records the revision and begins the rollout to it.
pub(super) async fn deploy(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(deploy): Body<Deploy>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let document = Document::from_value(deploy.flows.clone())
        .map_err(|error| Problem::new(422, "not_a_flow_document", error.to_string()).of_field("flows"))?;
    let found = problems(&document, &api.types.known, api.types.allow_unknown || deploy.allow_unknown);
    if !found.is_empty() {
        let lines: Vec<_> = found.iter().filter_map(|problem| problem["detail"].as_str()).collect();
        let detail = format!("the flow document cannot run: {}", lines.join("; "));
        return Err(Problem { problems: found, ..Problem::new(422, "cannot_run", detail).of_field("flows") });
    }
    let credentials = seal(&api, &deploy)?;
    let mut settings = deploy.settings;
    if deploy.allow_unknown {
        settings.insert(ALLOW_UNKNOWN.to_owned(), true.into());
    }
    let revision =
        Revision { flows: deploy.flows, credentials, env: deploy.env, settings, message: deploy.message.clone() };
    let actor = if deploy.actor.is_empty() { "admin" } else { deploy.actor.as_str() };
    let rules = rules(&api, &group, deploy.rules).await?;
    let id = api.revisions(&group)?.record(&revision, actor).await?;
    let rollout = api.courses(&group)?.begin(&id, &rules, &deploy.message, actor).await?;
    let body = json!({"revision": id, "rollout": rollout, "findings": review(&document)});
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// The credentials, encrypted with the group's key.
fn seal(api: &Api, deploy: &Deploy) -> Result<Value, Problem> {
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
            Err(Problem::new(409, "no_group_key", detail).of_field("credentials"))
        }
    }
}

/// Begins a rollout back to an earlier revision.
pub(super) async fn rollback(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(rollback): Body<Rollback>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let courses = api.courses(&group)?;
    let id = match &rollback.revision {
        Some(start) => api.revisions(&group)?.resolve(start).await?,
        None => {
            let course = courses.load().await?;
            let previous = course.and_then(|(course, _)| course.previous);
            previous.ok_or_else(|| GroupError::NoPrevious { group: group.clone() })?
        }
    };
    let actor = if rollback.actor.is_empty() { "admin" } else { rollback.actor.as_str() };
    let rules = rules(&api, &group, rollback.rules).await?;
    let rollout = courses.begin(&id, &rules, "rollback", actor).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"revision": id, "rollout": rollout, "findings": []}))))
}

async fn rules(api: &Api, group: &str, asked: Option<Rules>) -> Result<Rules, Problem> {
    match (asked, api.specs().get(group).await) {
        (Some(rules), _) => Ok(rules),
        (None, Ok(spec)) => Ok(spec.rollout),
        (None, Err(GroupError::NoGroup(_))) => Ok(Rules::default()),
        (None, Err(error)) => Err(error.into()),
    }
}
