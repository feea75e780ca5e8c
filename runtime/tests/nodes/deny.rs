//! --deny: what an operator switched off is an error at deploy.

use flotilla_engine::DeployError;
use flotilla_engine::settings::Settings;
use serde_json::{Value as Json, json};

use crate::flow::Flow;

fn settings() -> Settings {
    let words = ["exec", "file", "tcp-listen", "udp-listen", "websocket-listen"];
    Settings { workers: 1, deny: words.map(str::to_owned).to_vec(), ..Settings::default() }
}

/// The word that a node is denied by, if it is.
fn denied(node: Json) -> Option<String> {
    match Flow::with(json!([node]), settings()) {
        Ok(_) => None,
        Err(DeployError::Denied(problems)) => {
            assert_eq!(problems.len(), 1);
            problems[0].message.rsplit(' ').next().map(str::to_owned)
        }
        Err(other) => panic!("refused for another reason: {other}"),
    }
}

#[test]
fn nodes_that_reach_beyond_the_flow_are_refused() {
    let cases = [
        (json!({"type": "exec", "command": "true"}), "exec"),
        (json!({"type": "file", "filename": "x"}), "file"),
        (json!({"type": "file in", "filename": "x"}), "file"),
        (json!({"type": "watch", "files": "x"}), "file"),
        (json!({"type": "tcp in", "server": "server", "port": "0"}), "tcp-listen"),
        (json!({"type": "tcp in", "server": true, "port": "0"}), "tcp-listen"),
        // What the environment says is not known yet: it may say "server".
        (json!({"type": "tcp in", "server": "${MODE}", "port": "0"}), "tcp-listen"),
        (json!({"type": "tcp out", "beserver": "server", "port": "0"}), "tcp-listen"),
        (json!({"type": "udp in", "port": "0"}), "udp-listen"),
    ];
    for (mut node, word) in cases {
        node["id"] = "n".into();
        node["wires"] = json!([]);
        assert_eq!(denied(node.clone()).as_deref(), Some(word), "{node}");
    }
    let listener = json!({"id": "n", "type": "websocket-listener", "path": "/x"});
    assert_eq!(denied(listener).as_deref(), Some("websocket-listen"));
}

#[test]
fn the_same_types_may_connect() {
    let cases = [
        json!({"type": "tcp in", "server": "client", "host": "127.0.0.1", "port": "9"}),
        json!({"type": "tcp out", "beserver": "client", "host": "127.0.0.1", "port": "9"}),
        json!({"type": "tcp out", "beserver": "reply"}),
        json!({"type": "udp out", "addr": "127.0.0.1", "port": "9", "multicast": "false"}),
        json!({"type": "tcp request", "server": "127.0.0.1", "port": "9"}),
    ];
    for mut node in cases {
        node["id"] = "n".into();
        node["wires"] = json!([]);
        assert_eq!(denied(node.clone()), None, "{node}");
    }
    assert_eq!(denied(json!({"id": "n", "type": "websocket-client", "path": "ws://127.0.0.1:9/"})), None);
}
