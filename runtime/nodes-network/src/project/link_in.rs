//! project link in: receives what is sent to this project, or what others broadcast.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_codec::{QoS, RetainHandling};
use flotilla_engine::message::{Delivery, Msg};
use flotilla_engine::{Inert, Node, NodeCx, NodeError, Stateless};
use flotilla_mqtt::{DataType, Publish, SubscribeFilter};
use flotilla_value::{ErrorValue, Str, Value};
use futures::future::LocalBoxFuture;

use super::identity::Identity;
use super::topics::{self, Listens};
use super::{connection, message};
use crate::mqtt::{MqttBroker, Order, Subscription, show_first};

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::node("project link in", build);

struct LinkIn {
    cx: NodeCx,
    broker: Arc<MqttBroker>,
    subscription: Subscription,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let identity = Identity::of(cx.shared());
    identity.refuse(&cx)?;
    let broadcast = config.bool("broadcast");
    if !broadcast && identity.is_of_application() {
        cx.report().show("red", "dot", "unsupported source option");
        let text = "a device that belongs to an application of FlowFuse is sent nothing directly: have this node listen for \
                    broadcasts";
        cx.report().warn(text);
        cx.report().broken(text);
        return Ok(Rc::new(Inert::new(cx)));
    }
    let listens = match config.str("project") {
        _ if !broadcast => Listens::Own,
        "all" => Listens::ToAll,
        project => Listens::To(project),
    };
    let own = identity.own();
    let filter = topics::filter(&identity.team, &own, listens, config.str("topic")).map_err(NodeError::new)?;
    let broker = connection::of(&cx)?;
    let (order, read) = Order::of(config);
    if let Err(why) = read {
        cx.report().error(Value::from(why), None);
    }
    let each = config.is_for_each() || (broadcast && config.is_broadcast_for_each());
    let subscription = Subscription {
        filter: SubscribeFilter {
            id: Some(topics::id_of(&filter)),
            filter: Str::from(filter),
            qos: QoS::ExactlyOnce,
            retain_handling: RetainHandling::Never,
            ..SubscribeFilter::default()
        },
        datatype: DataType::Buffer,
        each,
        single: cx.settings().share_subscriptions && !each && config.is_for_one(),
        order,
    };
    broker.register(cx.id(), true, false);
    Ok(Rc::new(LinkIn { cx, broker, subscription }))
}

/// Takes a message that came for a node.
pub(super) fn take(cx: &NodeCx, publish: &Publish, delivery: Arc<Delivery>) {
    match message::read(publish) {
        Ok(object) => cx.receive(Msg::new(object).in_delivery(Some(delivery))),
        Err(error) => {
            let error = Value::Error(Arc::new(ErrorValue::new(error.to_string())));
            cx.report().error(error, Some(&Msg::new(message::unread(publish)).in_delivery(Some(delivery))));
        }
    }
}

impl Node for LinkIn {
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }

    fn start(&self) {
        show_first(&self.cx, &self.broker);
        self.broker.subscribe(&self.subscription, self.cx.id());
        self.broker.started();
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        self.broker.unsubscribe(&self.subscription, self.cx.id(), removed);
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move { broker.deregister(cx.id(), removed).await })
    }
}
