//! Links of other groups by name (`group:NAME/LINK`), for link out and link call nodes.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_engine::message::Msg;
use flotilla_engine::{NodeCx, Worker};
use flotilla_mqtt::{Outgoing, Receipt};
use flotilla_nodes_core::{GroupLink, Groups, OtherGroups};
use flotilla_value::Str;
use futures::future::LocalBoxFuture;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::calls::{self, Caller};
use super::identity::Identity;
use super::{connection, link_call, message, topics};
use crate::mqtt::{MqttBroker, Subscription};

/// The ways to other groups: the connections of project links.
#[derive(Default)]
pub(super) struct ProjectGroups {
    open: Mutex<FxHashMap<Str, Open>>,
}

/// A node that sends to other groups.
struct Open {
    broker: Arc<MqttBroker>,
    /// Of a node that calls: where its answers come.
    answers: Option<(Subscription, String)>,
}

/// Puts them where link nodes find them.
pub(super) fn install(cx: &NodeCx) {
    let extensions = cx.shared().extensions();
    if extensions.get::<Groups>().is_none() {
        extensions.insert(Arc::new(Groups(Arc::new(ProjectGroups::default()))));
    }
}

impl OtherGroups for ProjectGroups {
    fn open(&self, cx: &NodeCx) -> Result<(), String> {
        if self.open.lock().contains_key(cx.id()) {
            return Ok(());
        }
        let broker = connection::of(cx).map_err(|error| error.text)?;
        let calls = cx.kind() == "link call";
        let answers = calls
            .then(|| {
                let (identity, response) = (Identity::of(cx.shared()), calls::response());
                let subscription = calls::answers(&identity, cx.config(), &response, "call")?;
                Ok::<_, String>((subscription, response))
            })
            .transpose()?;
        broker.register(cx.id(), false, false);
        if let Some((subscription, _)) = &answers {
            broker.register(cx.id(), true, false);
            broker.subscribe(subscription, cx.id());
        }
        broker.started();
        self.open.lock().insert(cx.id().clone(), Open { broker, answers });
        Ok(())
    }

    fn close(&self, cx: &NodeCx, removed: bool) -> LocalBoxFuture<'static, ()> {
        let Some(Open { broker, answers }) = self.open.lock().remove(cx.id()) else {
            return Box::pin(std::future::ready(()));
        };
        if let Some((subscription, _)) = &answers {
            broker.unsubscribe(subscription, cx.id(), true);
        }
        let id = cx.id().clone();
        Box::pin(async move { broker.deregister(&id, removed).await })
    }

    fn send(&self, cx: &NodeCx, to: &GroupLink, msg: &Msg) -> Result<(), String> {
        self.open(cx)?;
        let broker = self.open.lock().get(cx.id()).map(|open| open.broker.clone()).ok_or(CLOSED)?;
        let identity = Identity::of(cx.shared());
        let topic = topics::to(&identity.team, &to.group, &to.link)?;
        let publish =
            message::publish(&identity, cx.id(), topic, msg.object(), None).map_err(|error| error.to_string())?;
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.publishes(&publish.topic, publish.qos as u8);
        }
        let (worker, node, held) = (cx.worker(), cx.id().clone(), msg.clone());
        let receipt = Receipt::Call(Box::new(move |result| {
            let (Err(error), Some(worker)) = (result, worker) else { return };
            worker.run(move |worker: &Rc<Worker>| {
                if let Some(slot) = worker.slot(&node) {
                    slot.cx.report().error(link_call::error(error.to_string()), Some(&held));
                }
            });
        }));
        broker.publish(Outgoing { publish, receipt });
        Ok(())
    }

    fn call(&self, cx: &NodeCx, to: &GroupLink, call: &Str, msg: &Msg) -> Result<(), String> {
        let found = self.open.lock().get(cx.id()).and_then(|open| {
            let (_, response) = open.answers.as_ref()?;
            Some((open.broker.clone(), response.clone()))
        });
        let (broker, response) = found.ok_or(CLOSED)?;
        let identity = Identity::of(cx.shared());
        let topic = topics::to(&identity.team, &to.group, &to.link)?;
        let caller = Caller { identity: &identity, node: cx.id(), link: "call", response: &response };
        let out = caller.outgoing(call, msg);
        let publish =
            message::publish(&identity, cx.id(), topic, out.object(), Some(call)).map_err(|error| error.to_string())?;
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.publishes(&publish.topic, publish.qos as u8);
        }
        broker.publish(Outgoing { publish, receipt: link_call::receipt(cx, call) });
        Ok(())
    }
}

const CLOSED: &str = "the node is closed";
