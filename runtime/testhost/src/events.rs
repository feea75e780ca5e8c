//! What the host tells: one JSON object per line on stdout.

use std::io::Write;

use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};

use flotilla_engine::message::Msg;
use flotilla_engine::observe::{LogEntry, NodeView, Observer};
use flotilla_value::Value;

use super::codec::encode;
use super::server::Comms;

/// The one writer of events; lines never mix.
#[derive(Default)]
pub(super) struct Events {
    out: Mutex<()>,
}

impl Events {
    /// Writes one event. When nobody reads any more there is nobody to tell.
    pub(super) fn post(&self, event: &Json) {
        let _one_at_a_time = self.out.lock();
        let mut line = event.to_string();
        line.push('\n');
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Answers an op that has an id.
    pub(super) fn reply(&self, id: Option<&Json>, answer: Result<Json, String>) {
        let Some(id) = id else {
            if let Err(error) = answer {
                tracing::warn!("testhost: {error}");
            }
            return;
        };
        let mut reply = Map::new();
        reply.insert("ev".to_owned(), "reply".into());
        reply.insert("id".to_owned(), id.clone());
        match answer {
            Ok(Json::Object(fields)) => reply.extend(fields),
            Ok(_) => {}
            Err(message) => {
                reply.insert("err".to_owned(), json!({"message": message}));
            }
        }
        self.post(&Json::Object(reply));
    }
}

/// Turns what the engine reports into events.
pub(super) struct EventObserver {
    pub(super) events: std::sync::Arc<Events>,
    pub(super) comms: std::sync::Arc<Comms>,
}

impl Observer for EventObserver {
    fn log(&self, entry: &LogEntry) {
        let mut fields = Map::new();
        fields.insert("level".to_owned(), (entry.level as u8).into());
        let named = [("id", &*entry.id), ("type", &*entry.kind), ("name", &*entry.name), ("z", &*entry.z)];
        for (key, text) in named.into_iter().chain([("path", &*entry.path)]) {
            if !text.is_empty() {
                fields.insert(key.to_owned(), text.into());
            }
        }
        fields.insert("msg".to_owned(), encode(&entry.msg));
        fields.insert("timestamp".to_owned(), (entry.timestamp as i64).into());
        self.events.post(&json!({"ev": "log", "entry": fields}));
    }

    fn debug(&self, _: &NodeView, message: &Value) {
        self.comms.publish("debug", message);
    }

    fn input(&self, node: &str, msg: &Msg) {
        self.events.post(&json!({"ev": "input", "node": node, "msg": encode(&msg.value())}));
    }

    fn call(&self, node: &str, method: &'static str, args: &[Value]) {
        let args: Vec<Json> = args.iter().map(encode).collect();
        self.events.post(&json!({"ev": "call", "node": node, "method": method, "args": args}));
    }

    fn wants_calls(&self) -> bool {
        true
    }
}
