//! What a call looks like on the wire: what the caller sends along, and what it makes of the answer.

use std::sync::Arc;

use flotilla_codec::{QoS, RetainHandling};
use flotilla_engine::message::{Msg, generate_id};
use flotilla_flows::NodeConfig;
use flotilla_mqtt::{DataType, Publish, SubscribeFilter};
use flotilla_value::{Object, Str, Value};

use super::encoding::DecodeError;
use super::identity::Identity;
use super::{message, topics};
use crate::mqtt::{Order, Subscription};

/// Who calls.
pub(super) struct Caller<'a> {
    pub(super) identity: &'a Identity,
    /// The node's id.
    pub(super) node: &'a Str,
    /// The link at the end of the answers' topic.
    pub(super) link: &'a str,
    /// The level of the answers' topic that is this node's in this process and nobody else's.
    pub(super) response: &'a str,
}

/// A new level for the answers of a node.
pub(super) fn response() -> String {
    format!("res-{}", &generate_id()[..8])
}

/// Where a node's answers come.
///
/// # Errors
/// When the link's name makes no topic.
pub(super) fn answers(
    identity: &Identity,
    config: &NodeConfig,
    response: &str,
    link: &str,
) -> Result<Subscription, String> {
    let filter = topics::answers(&identity.team, &identity.own(), response, link)?;
    Ok(Subscription {
        filter: SubscribeFilter {
            filter: Str::from(filter),
            qos: QoS::ExactlyOnce,
            retain_handling: RetainHandling::Never,
            ..SubscribeFilter::default()
        },
        datatype: DataType::Buffer,
        each: true,
        single: false,
        order: Order::of(config).0,
    })
}

/// True for the two properties of a message that an HTTP request came as: they stay here while the call is made.
fn is_live(msg: &Msg, name: &str) -> bool {
    matches!(msg.get_ref(name), Some(Value::Host(_)))
}

impl Caller<'_> {
    /// What others have to know of the call to answer it.
    fn event(&self, id: &Str) -> Value {
        let identity = self.identity;
        let texts = [
            ("eventId", id.as_str()),
            ("node", self.node.as_str()),
            ("project", identity.project.as_str()),
            ("instance", identity.instance.as_str()),
            ("application", identity.application.as_str()),
            ("topic", self.link),
            ("response", self.response),
        ];
        let filled = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut event: Object = filled.map(|(name, text)| (name, Value::from(text))).collect();
        event.insert("ts", flotilla_engine::now_ms());
        if let Some(device) = &identity.device {
            event.insert("device", device.id.as_str());
        }
        event.into()
    }

    /// The message as it goes out.
    pub(super) fn outgoing(&self, id: &Str, msg: &Msg) -> Msg {
        let mut out = msg.clone();
        let mut link = msg.get("projectLink").as_object().cloned().unwrap_or_default();
        let mut calls = link.get("callStack").and_then(Value::as_array).map(<[Value]>::to_vec).unwrap_or_default();
        calls.push(self.event(id));
        link.insert("callStack", calls);
        out.set("projectLink", link);
        if is_live(msg, "res") && is_live(msg, "req") {
            out.set("res", format!("RES:{id}"));
            out.set("req", format!("REQ:{id}"));
        }
        out
    }
}

/// The message that came as the answer to what was `sent`.
///
/// # Errors
/// When it cannot be read.
pub(super) fn answer(publish: &Publish, id: &str, sent: &Msg) -> Result<Object, DecodeError> {
    let mut object = message::read(publish)?;
    if let Some(Value::Object(link)) = object.get_mut("projectLink") {
        let link = Arc::make_mut(link);
        if link.get("callStack").and_then(Value::as_array).is_some_and(<[Value]>::is_empty) {
            link.remove("callStack");
        }
    }
    let is = |name: &str, mark: &str| {
        object.get(name).and_then(Value::as_str).is_some_and(|text| text.strip_prefix(mark) == Some(id))
    };
    if is("res", "RES:") && is("req", "REQ:") {
        object.insert("req", sent.get("req"));
        object.insert("res", sent.get("res"));
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use flotilla_value::HostObject;

    use super::*;

    struct Live(&'static str);

    impl HostObject for Live {
        fn class_name(&self) -> &'static str {
            self.0
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn identity() -> Identity {
        Identity {
            team: "t".into(),
            project: "p".into(),
            instance: "i".into(),
            application: String::new(),
            device: None,
            disabled: false,
        }
    }

    #[test]
    fn a_request_waits_here_while_its_message_is_away() {
        let (identity, node, id) = (identity(), Str::new("n"), flotilla_nodes_core::call_id());
        assert!(id.len() == 28 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut sent = Msg::default();
        sent.set("payload", 1.0);
        sent.set("req", Value::Host(Arc::new(Live("IncomingMessage"))));
        sent.set("res", Value::Host(Arc::new(Live("ServerResponse"))));
        let caller = Caller { identity: &identity, node: &node, link: "double", response: "res-00000001" };
        let mut out = caller.outgoing(&id, &sent);
        let event = out.get("projectLink").get("callStack").as_array().unwrap()[0].clone();
        for (name, value) in [
            ("eventId", id.as_str()),
            ("node", "n"),
            ("project", "p"),
            ("topic", "double"),
            ("response", "res-00000001"),
        ] {
            assert_eq!(event.get(name).as_str(), Some(value), "{name}");
        }
        assert!(event.get("application").is_undefined() && event.get("ts").as_number().is_some());
        // The other side takes the call off, and sends the rest back.
        let link: Object = [("callStack", Value::array(Vec::new()))].into_iter().collect();
        out.set("projectLink", link);
        let topic = "ff/v1/t/p/p/res-00000001/double".to_owned();
        let publish = message::publish(&identity, "other", topic, out.object(), Some(&id)).unwrap();
        let answer = answer(&publish, &id, &sent).unwrap();
        assert!(matches!((answer.get("req"), answer.get("res")), (Some(Value::Host(_)), Some(Value::Host(_)))));
        let link = answer.get("projectLink").unwrap();
        assert!(link.get("callStack").is_undefined() && link.get("projectId").as_str() == Some("p"));
    }
}
