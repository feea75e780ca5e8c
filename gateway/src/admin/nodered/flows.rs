//! `/flows`: the whole flow document.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flotilla_api::deploy::Deploy;
use flotilla_flows::DeployType;
use flotilla_group::rollout::Rules;
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::body::Body;
use super::super::caller::Caller;
use super::super::deploy::{deploy_to, rules};
use super::problem::Refusal;
use super::tabs;

const API_VERSION: &str = "node-red-api-version";
const DEPLOYMENT_TYPE: &str = "node-red-deployment-type";
/// The number of the rollout that a deploy began.
const ROLLOUT: HeaderName = HeaderName::from_static("flotilla-rollout");

/// In which of its two shapes a client wants flow documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// An array.
    V1,
    /// An object with the array and its revision.
    V2,
}

/// What the group goes to.
pub(super) struct Current {
    /// Its revision; empty before the first.
    pub(super) rev: String,
    /// The flow document's entries, without credentials.
    pub(super) flows: Vec<Value>,
}

/// `GET /flows`
pub(in super::super) async fn get(State(api): State<Api>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let version = version(&headers)?;
    let current = current(&api).await?;
    Ok(Json(match version {
        Version::V1 => Value::Array(current.flows),
        Version::V2 => json!({"flows": current.flows, "rev": current.rev}),
    }))
}

/// `POST /flows`: a deploy. With a `rev` that is no longer the group's it is 409 `version_mismatch`; without one it is made
/// in any case.
pub(in super::super) async fn post(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<Value>,
) -> Result<Response, Refusal> {
    let version = version(&headers)?;
    let kind = headers.get(DEPLOYMENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("full");
    let deploy_type = match kind {
        "full" => DeployType::Full,
        "flows" => DeployType::Flows,
        "nodes" => DeployType::Nodes,
        "reload" => {
            // Replicas follow the store: there is nothing to load anew.
            return Ok(answer(&api, version, &current(&api).await?.rev, None));
        }
        other => {
            let message = format!("{DEPLOYMENT_TYPE} \"{other}\" is not known: use full, flows, nodes or reload");
            return Err(Refusal::new(400, "invalid_deployment_type", message));
        }
    };
    let (flows, rev, credentials) = match (version, body) {
        (Version::V1, flows @ Value::Array(_)) => (flows, None, Value::Null),
        (Version::V1, _) => {
            return Err(Refusal::new(400, "invalid_flow", "the body is an array of nodes in API version v1"));
        }
        (Version::V2, mut body) => {
            let rev = body["rev"].as_str().map(str::to_owned);
            let flows = body.get_mut("flows").map(Value::take).unwrap_or_default();
            if !flows.is_array() {
                return Err(Refusal::new(400, "invalid_flow", "flows is an array of nodes in API version v2"));
            }
            (flows, rev, body.get_mut("credentials").map(Value::take).unwrap_or_default())
        }
    };
    let (rev, rollout) = deploy(&api, &caller, flows, rev, credentials, deploy_type).await?;
    Ok(answer(&api, version, &rev, rollout))
}

/// `GET /flows/state`: a group's flows are always started.
pub(in super::super) async fn state() -> Json<Value> {
    Json(json!({"state": "start"}))
}

/// `POST /flows/state`: `start` is what they are; `stop` is a matter of replicas.
pub(in super::super) async fn set_state(Body(body): Body<Value>) -> Result<Json<Value>, Refusal> {
    match body["state"].as_str() {
        Some("start") => Ok(state().await),
        Some("stop") => {
            let message = "flows of a group are not stopped here: scale it, or take its replicas out of the group";
            Err(Refusal::new(405, "not_allowed", message))
        }
        _ => Err(Refusal::new(400, "invalid_run_state", "state is start or stop")),
    }
}

pub(super) async fn current(api: &Api) -> Result<Current, Refusal> {
    let Some((state, _)) = api.desired(&api.group)?.load().await? else {
        return Ok(Current { rev: String::new(), flows: Vec::new() });
    };
    let rev = state.goal().to_owned();
    let flows = match api.revisions(&api.group)?.load(&rev).await?.flows {
        Value::Array(flows) => flows,
        // As version 2 of the API writes it.
        mut object => {
            object.get_mut("flows").map(Value::take).and_then(|flows| flows.as_array().cloned()).unwrap_or_default()
        }
    };
    Ok(Current { rev, flows })
}

/// Deploys a document; answers its revision, and the rollout unless the group goes to it already.
pub(super) async fn deploy(
    api: &Api,
    caller: &Caller,
    mut flows: Value,
    rev: Option<String>,
    credentials: Value,
    deploy_type: DeployType,
) -> Result<(String, Option<u64>), Refusal> {
    let now = current(api).await?.rev;
    if rev.as_ref().is_some_and(|rev| *rev != now) {
        return Err(Refusal::version_mismatch(format!("the group has revision \"{now}\" by now")));
    }
    let taken = tabs::take_credentials(&mut flows);
    let deploy = Deploy {
        flows,
        base: Some(now.clone()).filter(|base| rev.is_some() && !base.is_empty()),
        credentials,
        set_credentials: taken,
        message: "deployed through Node-RED's admin API".to_owned(),
        rules: Some(Rules { deploy_type, ..rules(api, &api.group, None).await? }),
        ..Deploy::default()
    };
    match deploy_to(api, caller, &api.group, deploy).await {
        Ok(begun) => Ok((begun.revision, Some(begun.rollout.number))),
        Err(failure) if failure.0.code == "unchanged" => Ok((now, None)),
        Err(failure) => Err(failure.into()),
    }
}

/// 204 in version 1, the revision in version 2; with where the rollout is.
fn answer(api: &Api, version: Version, rev: &str, rollout: Option<u64>) -> Response {
    let mut response = match version {
        Version::V1 => StatusCode::NO_CONTENT.into_response(),
        Version::V2 => Json(json!({"rev": rev})).into_response(),
    };
    if let Some(number) = rollout {
        response.headers_mut().insert(ROLLOUT, number.into());
        // A group's name has no character that a header could not take.
        if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/groups/{}/rollout", api.group)) {
            response.headers_mut().insert(header::LOCATION, place);
        }
    }
    response
}

fn version(headers: &HeaderMap) -> Result<Version, Refusal> {
    match headers.get(API_VERSION).map(|version| version.to_str().unwrap_or_default()) {
        None | Some("v1") => Ok(Version::V1),
        Some("v2") => Ok(Version::V2),
        Some(_) => Err(Refusal::new(400, "invalid_api_version", "Invalid API Version requested")),
    }
}
