//! project link out: sends to a link of another project, to all that listen to this one, or back to who called.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_codec::QoS;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_mqtt::{Outgoing, Receipt};
use flotilla_value::{ErrorValue, Str, Value};
use futures::future::LocalBoxFuture;

use super::identity::Identity;
use super::{connection, message, topics};
use crate::mqtt::{MqttBroker, show_first};

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::node("project link out", build);

struct LinkOut {
    cx: NodeCx,
    identity: Identity,
    broker: Arc<MqttBroker>,
    /// Where it sends; `None`: back to who called.
    topic: Option<String>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let identity = Identity::of(cx.shared());
    identity.refuse(&cx)?;
    let link = config.str("topic");
    let topic = match config.str("mode") {
        "return" => None,
        _ if config.bool("broadcast") => Some(topics::broadcast(&identity.team, &identity.own(), link)),
        _ => Some(topics::to(&identity.team, config.str("project"), link)),
    };
    let topic = topic.transpose().map_err(NodeError::new)?;
    let broker = connection::of(&cx)?;
    broker.register(cx.id(), false, false);
    Ok(Rc::new(LinkOut { cx, identity, broker, topic }))
}

/// Takes the last call from the message: its id, and the topic of its answer.
fn pop_call(team: &str, msg: &mut Msg) -> Result<(Str, String), &'static str> {
    const MISSING: &str = "Project Link Source missing";
    const INVALID: &str = "Project Link Source not valid";
    let mut link = msg.get("projectLink").as_object().cloned().ok_or(MISSING)?;
    let mut calls = link.get("callStack").and_then(Value::as_array).map(<[Value]>::to_vec).unwrap_or_default();
    let call = calls.pop().ok_or(MISSING)?;
    link.insert("callStack", calls);
    msg.set("projectLink", link);
    let text = |name: &str| call.get_ref(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let caller = text("project").map(str::to_owned).or_else(|| text("device").map(|id| format!("dev:{id}")));
    let (caller, id, link) = (caller.ok_or(INVALID)?, text("eventId").ok_or(INVALID)?, text("topic").ok_or(INVALID)?);
    let topic = topics::answers(team, &caller, text("response").unwrap_or("res"), link).map_err(|_| INVALID)?;
    Ok((Str::new(id), topic))
}

impl LinkOut {
    fn send(&self, topic: String, call: Option<&str>, msg: Msg) {
        let publish = match message::publish(&self.identity, self.cx.id(), topic, msg.object(), call) {
            Ok(publish) => publish,
            Err(error) => {
                let error = Value::Error(Arc::new(ErrorValue::new(error.to_string())));
                return self.cx.report().error(error, Some(&msg));
            }
        };
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.publishes(&publish.topic, publish.qos as u8);
        }
        let receipt = Receipt::Node(self.cx.id().clone(), msg, QoS::ExactlyOnce);
        self.broker.publish(Outgoing { publish, receipt });
    }
}

impl Node for LinkOut {
    fn receive(&self, mut msg: Msg) {
        if let Some(topic) = &self.topic {
            return self.send(topic.clone(), None, msg);
        }
        match pop_call(&self.identity.team, &mut msg) {
            Ok((call, topic)) => self.send(topic, Some(&call), msg),
            Err(why) => {
                self.cx.report().warn(why);
                self.cx.report().done(&msg);
            }
        }
    }

    fn start(&self) {
        show_first(&self.cx, &self.broker);
        self.broker.started();
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move { broker.deregister(cx.id(), removed).await })
    }
}

#[cfg(test)]
mod tests {
    use flotilla_value::Object;

    use super::*;

    fn with_calls(calls: Vec<Value>) -> Msg {
        let link: Object = [("callStack", Value::array(calls))].into_iter().collect();
        Msg::new([("projectLink", link)].into_iter().collect())
    }

    #[test]
    fn an_answer_goes_where_the_last_caller_waits_and_nowhere_else() {
        let call = |fields: &[(&'static str, &str)]| -> Value {
            fields.iter().map(|(name, value)| (*name, Value::from(*value))).collect::<Object>().into()
        };
        let first = call(&[("eventId", "e0"), ("project", "other"), ("topic", "x"), ("response", "res")]);
        let last = [("eventId", "e1"), ("project", "p1"), ("topic", "a/b"), ("response", "res-0a1b2c3d")];
        let mut msg = with_calls(vec![first, call(&last)]);
        let popped = pop_call("t", &mut msg).unwrap();
        assert_eq!(popped, (Str::new("e1"), "ff/v1/t/p/p1/res-0a1b2c3d/a/b".to_owned()));
        assert_eq!(pop_call("t", &mut msg).unwrap().1, "ff/v1/t/p/other/res/x");
        assert_eq!(pop_call("t", &mut msg).unwrap_err(), "Project Link Source missing");
        let device = call(&[("eventId", "e"), ("device", "d1"), ("topic", "a")]);
        assert_eq!(pop_call("t", &mut with_calls(vec![device])).unwrap().1, "ff/v1/t/p/dev:d1/res/a");
        for bad in [("response", "in"), ("project", "p/in/x"), ("topic", ""), ("eventId", "")] {
            let fields: Vec<_> = last.into_iter().filter(|(name, _)| *name != bad.0).chain([bad]).collect();
            let popped = pop_call("t", &mut with_calls(vec![call(&fields)]));
            assert_eq!(popped.unwrap_err(), "Project Link Source not valid", "{bad:?}");
        }
    }
}
