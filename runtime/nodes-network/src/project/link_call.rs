//! project link call: sends a message to a link of another project and takes the answer.

use std::any::Any;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::message::{Delivery, Msg};
use flotilla_engine::{Node, NodeCx, NodeError, Stateless, Worker};
use flotilla_mqtt::{Outgoing, Publish, Receipt};
use flotilla_nodes_core::{call_id, take_call};
use flotilla_value::{ErrorValue, Str, Value};
use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use super::calls::{self, Caller};
use super::identity::Identity;
use super::{connection, message, topics};
use crate::mqtt::{MqttBroker, Subscription, show_first};

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::node("project link call", build);

/// How long an answer is waited for when the node does not say.
const PATIENCE: f64 = 30.0;

struct LinkCall {
    cx: NodeCx,
    me: Weak<LinkCall>,
    identity: Identity,
    broker: Arc<MqttBroker>,
    /// The topic that leads to the link.
    topic: String,
    /// See [`Caller::response`].
    response: String,
    answers: Subscription,
    timeout: Duration,
    /// Calls without an answer, by id.
    pending: RefCell<FxHashMap<Str, Pending>>,
}

/// A call without an answer.
struct Pending {
    /// The message as it came.
    sent: Msg,
    /// Dropped, it ends the timer.
    _timer: oneshot::Sender<()>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let identity = Identity::of(cx.shared());
    identity.refuse(&cx)?;
    let link = config.str("topic");
    let topic = topics::to(&identity.team, config.str("project"), link).map_err(NodeError::new)?;
    let response = calls::response();
    let answers = calls::answers(&identity, config, &response, link).map_err(NodeError::new)?;
    let broker = connection::of(&cx)?;
    // `parseFloat(n.timeout || '30')`; what is no number is 30 as well.
    let seconds = config.num("timeout").filter(|seconds| *seconds > 0.0).unwrap_or(PATIENCE);
    let timeout = flotilla_value::wait_seconds(seconds);
    broker.register(cx.id(), true, false);
    broker.register(cx.id(), false, false);
    Ok(Rc::new_cyclic(|me| LinkCall {
        cx,
        me: me.clone(),
        identity,
        broker,
        topic,
        response,
        answers,
        timeout,
        pending: RefCell::default(),
    }))
}

/// The node of this id on this worker.
fn find(worker: &Rc<Worker>, node: &str) -> Option<Rc<LinkCall>> {
    let found: Rc<dyn Any> = worker.slot(node)?.node()?;
    found.downcast::<LinkCall>().ok()
}

/// Ends a call of a node of this worker: the message that waits for the answer, if it still does.
fn take_pending(worker: &Rc<Worker>, node: &str, call: &str) -> Option<Msg> {
    match find(worker, node) {
        Some(node) => node.pending.borrow_mut().remove(call).map(|pending| pending.sent),
        None => take_call(worker, node, call),
    }
}

/// Takes an answer that came for a node: of this type, or a link call.
pub(super) fn take(cx: &NodeCx, publish: &Publish, delivery: Arc<Delivery>) {
    let (Some(id), Some(worker)) = (message::call_of(publish), Worker::current()) else { return };
    // None: late, or an answer to a call of somebody else.
    let Some(sent) = take_pending(&worker, cx.id(), id) else { return };
    match calls::answer(publish, id, &sent) {
        Ok(object) => {
            // What is done with the answer belongs to what asked: that is acknowledged when it is finished, and asked again
            // elsewhere if this process dies before.
            let delivery = sent.delivery().cloned().unwrap_or(delivery);
            cx.out().send(Msg::new(object).in_delivery(Some(delivery)));
            cx.report().done(&sent);
        }
        Err(unread) => cx.report().error(error(unread.to_string()), Some(&sent)),
    }
}

/// Hears, on whatever thread, that the broker refused a call of a node.
pub(super) fn receipt(cx: &NodeCx, call: &Str) -> Receipt {
    let (worker, node, call) = (cx.worker(), cx.id().clone(), call.clone());
    Receipt::Call(Box::new(move |result| {
        let (Err(why), Some(worker)) = (result, worker) else { return };
        worker.run(move |worker: &Rc<Worker>| {
            if let (Some(slot), Some(sent)) = (worker.slot(&node), take_pending(worker, &node, &call)) {
                slot.cx.report().error(error(why.to_string()), Some(&sent));
            }
        });
    }))
}

pub(super) fn error(text: String) -> Value {
    Value::Error(Arc::new(ErrorValue::new(text)))
}

impl LinkCall {
    /// Remembers a call until its answer comes, or is late.
    fn begin(&self, id: &Str, sent: Msg) {
        let (timer, answered) = oneshot::channel::<()>();
        self.pending.borrow_mut().insert(id.clone(), Pending { sent, _timer: timer });
        let (me, timeout, id) = (self.me.clone(), self.timeout, id.clone());
        self.cx.work().spawn(async move {
            if tokio::time::timeout(timeout, answered).await.is_ok() {
                return;
            }
            let Some(node) = me.upgrade() else { return };
            let late = node.pending.borrow_mut().remove(&id);
            if let Some(Pending { sent, .. }) = late {
                node.cx.report().error("timeout", Some(&sent));
            }
        });
    }
}

impl Node for LinkCall {
    fn receive(&self, msg: Msg) {
        let id = call_id();
        let link = self.cx.config().str("topic");
        let caller = Caller { identity: &self.identity, node: self.cx.id(), link, response: &self.response };
        let out = caller.outgoing(&id, &msg);
        let written = message::publish(&self.identity, self.cx.id(), self.topic.clone(), out.object(), Some(&id));
        let publish = match written {
            Ok(publish) => publish,
            Err(unwritten) => return self.cx.report().error(error(unwritten.to_string()), Some(&msg)),
        };
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.publishes(&publish.topic, publish.qos as u8);
        }
        self.begin(&id, msg);
        self.broker.publish(Outgoing { publish, receipt: receipt(&self.cx, &id) });
    }

    fn start(&self) {
        show_first(&self.cx, &self.broker);
        self.broker.subscribe(&self.answers, self.cx.id());
        self.broker.started();
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        // What waits for an answer is not acknowledged: others ask again.
        for (_, Pending { sent, .. }) in self.pending.borrow_mut().drain() {
            if let Some(delivery) = sent.delivery() {
                delivery.abandon();
            }
        }
        self.broker.unsubscribe(&self.answers, self.cx.id(), true);
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move { broker.deregister(cx.id(), removed).await })
    }
}
