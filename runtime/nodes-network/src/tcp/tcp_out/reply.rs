//! Answering on the connections of tcp in nodes.

use std::sync::Arc;

use crate::tcp::sessions::Sessions;
use flotilla_engine::Node;
use flotilla_engine::message::Msg;
use flotilla_value::Value;

use super::node::Writer;

/// A tcp out node that answers on the connection that `msg._session` names, or on all when the message has none.
pub(super) struct Reply {
    writer: Writer,
    sessions: Arc<Sessions>,
}

impl Reply {
    pub(super) fn new(writer: Writer) -> Reply {
        Reply { sessions: Sessions::of(&writer.cx), writer }
    }
}

impl Node for Reply {
    fn receive(&self, msg: Msg) {
        let session = msg.get("_session");
        let links = if session.get("type") == Value::from("tcp") {
            self.sessions.get(&session.get("id").to_text()).into_iter().collect()
        } else {
            self.sessions.all()
        };
        if msg.get("reset") == Value::Bool(true) {
            for link in &links {
                link.destroy();
            }
        } else if !links.is_empty() {
            self.writer.write(&links, &msg);
        }
        self.writer.cx.report().done(&msg);
    }
}
