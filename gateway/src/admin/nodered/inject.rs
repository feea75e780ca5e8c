//! `/inject/ID`: the button of an inject node.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flotilla_api::node::Inject;
use serde_json::Value;

use super::super::api::Api;
use super::super::body::Body;
use super::super::caller::Caller;
use super::super::{nodes, parameters};
use super::problem::Refusal;

/// What the editor sends in place of the node's own properties: a list of `{p, v, vt}`.
const PROPS: &str = "__user_inject_props__";

/// `POST /inject/ID`: one replica does it, as with `flotilla inject`. A body is not needed; of the properties that the editor
/// can send in it the payload is taken.
pub(in super::super) async fn post(
    State(api): State<Api>,
    Path(node): Path<String>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let inject = Inject { payload: payload(&body)?, replica: String::new() };
    let group = api.group.clone();
    match nodes::inject(State(api), parameters::Path((group, node)), caller, Body(inject)).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(failure) if failure.0.status == 404 => Err(Refusal::not_found()),
        Err(failure) => Err(failure.into()),
    }
}

fn payload(body: &[u8]) -> Result<Option<Value>, Refusal> {
    let bad = |message: String| Refusal::new(400, "invalid_request", message);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let sent: Value = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let Some(props) = sent.get(PROPS).and_then(Value::as_array) else { return Ok(None) };
    let mut payload = None;
    for prop in props {
        let name = prop["p"].as_str().unwrap_or_default();
        if name != "payload" {
            return Err(bad(format!("{PROPS} with \"{name}\" is not taken: only the payload can be another")));
        }
        payload = Some(match prop["vt"].as_str().unwrap_or("str") {
            "num" => prop["v"]
                .as_str()
                .and_then(|text| text.parse::<f64>().ok())
                .map_or_else(|| prop["v"].clone(), Value::from),
            "bool" => Value::Bool(prop["v"] == true || prop["v"] == "true"),
            "json" => match prop["v"].as_str() {
                Some(text) => {
                    serde_json::from_str(text).map_err(|error| bad(format!("the payload is no JSON: {error}")))?
                }
                None => prop["v"].clone(),
            },
            "str" => prop["v"].clone(),
            other => {
                return Err(bad(format!("a payload of type \"{other}\" is not taken: use str, num, bool or json")));
            }
        });
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_editor_may_send_another_payload() {
        assert_eq!(payload(b"").unwrap(), None);
        assert_eq!(payload(b"{}").unwrap(), None);
        let of =
            |v: &Value, vt: &str| payload(json!({PROPS: [{"p": "payload", "v": v, "vt": vt}]}).to_string().as_bytes());
        assert_eq!(of(&json!("a"), "str").unwrap(), Some(json!("a")));
        assert_eq!(of(&json!("2.5"), "num").unwrap(), Some(json!(2.5)));
        assert_eq!(of(&json!("true"), "bool").unwrap(), Some(json!(true)));
        assert_eq!(of(&json!("{\"a\":[1]}"), "json").unwrap(), Some(json!({"a": [1]})));
        assert!(of(&json!("{"), "json").is_err() && of(&json!("x"), "flow").is_err() && payload(b"{").is_err());
        let topic = json!({PROPS: [{"p": "topic", "v": "t", "vt": "str"}]}).to_string();
        assert!(payload(topic.as_bytes()).is_err());
    }
}
