//! The connection of a replica's project link nodes: an mqtt-broker node that no flow document has.

use std::sync::Arc;

use flotilla_engine::{ConfigNode, NodeCx, NodeError, Stateless};
use flotilla_flows::{NodeConfig, PROJECT_BROKER};
use serde_json::{Map, Value as Json, json};
use url::Url;

use super::identity::{Identity, ProjectWire, flowfuse};
use super::{groups, link_call, link_in};
use crate::mqtt::{MqttBroker, Own};

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::config(PROJECT_BROKER, build);

/// Where there is no broker: each node says so itself.
struct NoBroker;

impl ConfigNode for NoBroker {}

/// Where the broker is, and as whom to connect.
#[derive(Debug, Default, PartialEq, Eq)]
struct Door {
    url: String,
    user: Option<String>,
    password: Option<String>,
}

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    groups::install(&cx);
    let wire = cx.shared().extensions().get::<ProjectWire>();
    let Some(url) = wire.as_ref().and_then(|wire| wire.broker.as_deref()) else { return Ok(Arc::new(NoBroker)) };
    let Door { url, user, password } = door(url).map_err(NodeError::new)?;
    let settings = cx.settings();
    let identity = Identity::of(cx.shared());
    // FlowFuse's broker lets an instance share under its own id only, and takes only clients whose ClientID begins with
    // their user name.
    let on_flowfuse = flowfuse(&settings).is_some();
    let share = if on_flowfuse { identity.own() } else { format!("{}-{}", settings.group, cx.id()) };
    let client = user.as_ref().filter(|_| on_flowfuse).map(|user| format!("{user}:n:"));
    let calls = cx.config().bool("calls");
    let take = if calls { link_call::take } else { link_in::take };
    // Answers are waited for while the replica drains.
    let own = Own { share: share.into(), client, take, drains: !calls };
    let node = MqttBroker::own(&cx, &config(cx.id(), &url), user, password, own);
    Ok(node)
}

/// A URL's parts. The URL itself is shown, in statuses, logs and metrics: it has no password then.
///
/// # Errors
/// When it cannot be read.
fn door(url: &str) -> Result<Door, String> {
    let mut parsed = Url::parse(url)
        .map_err(|error| format!("the broker of project links is no URL (--project-broker): {error}"))?;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = Some(decoded(parsed.username())).filter(|user| !user.is_empty());
    let password = parsed.password().map(decoded);
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    Ok(Door { url: parsed.to_string().trim_end_matches('/').to_owned(), user, password })
}

/// As the editor would write the node.
fn config(id: &str, url: &str) -> NodeConfig {
    let props = json!({
        "id": id, "type": "mqtt-broker", "broker": url, "protocolVersion": "5", "keepalive": "45",
        "verifyservercert": true,
    });
    NodeConfig::from_props(if let Json::Object(props) = props { props } else { Map::new() })
}

/// The connection that a node uses.
///
/// # Errors
/// When nobody has said where the broker is.
pub(super) fn of(cx: &NodeCx) -> Result<Arc<MqttBroker>, NodeError> {
    cx.config_node::<MqttBroker>(cx.config().str("broker")).ok_or_else(|| {
        NodeError::new("no broker is known for project links: start the replica with --project-broker mqtt://HOST:PORT")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_url_shows_a_password() {
        let found = door("mqtt://instance%3At:b%40c@h:1884").unwrap();
        let expected =
            Door { url: "mqtt://h:1884".into(), user: Some("instance:t".into()), password: Some("b@c".into()) };
        assert_eq!(found, expected);
        assert_eq!(door("wss://h/mqtt").unwrap(), Door { url: "wss://h/mqtt".into(), ..Door::default() });
        assert!(door("nowhere").unwrap_err().contains("--project-broker"));
    }
}
