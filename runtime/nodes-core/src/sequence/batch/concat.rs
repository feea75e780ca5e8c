//! Sequences of several topics, one behind the other.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::{Str, Value};

use super::node::{complete, send_sequence};

pub(super) struct Concat {
    cx: NodeCx,
    topics: Vec<Value>,
    held: RefCell<FxHashMap<Str, VecDeque<Group>>>,
}

/// The messages of one sequence so far.
struct Group {
    id: Value,
    count: Value,
    msgs: Vec<Msg>,
}

impl Group {
    fn is_complete(&self) -> bool {
        self.count.as_number() == Some(self.msgs.len() as f64)
    }
}

impl Concat {
    pub(super) fn new(cx: NodeCx) -> Concat {
        let topics = props::value(cx.config(), "topics");
        let topics = topics.as_array().unwrap_or_default().iter().map(|entry| entry.get("topic")).collect();
        Concat { topics, held: RefCell::default(), cx: cx.clone() }
    }

    fn add(&self, msg: Msg) -> usize {
        let parts = msg.get("parts");
        let mut held = self.held.borrow_mut();
        let groups = held.entry(msg.get("topic").to_text()).or_default();
        let id = parts.get("id");
        match groups.iter_mut().find(|group| group.id == id) {
            Some(group) => group.msgs.push(msg),
            None => groups.push_back(Group { id, count: parts.get("count"), msgs: vec![msg] }),
        }
        held.values().flatten().map(|group| group.msgs.len()).sum()
    }

    fn take_all(&self) -> Vec<Msg> {
        self.held.take().into_values().flatten().flat_map(|group| group.msgs).collect()
    }

    /// The first sequence of each topic, once all of them are complete.
    fn take_complete(&self) -> Option<Vec<Msg>> {
        let mut held = self.held.borrow_mut();
        let names: Vec<Str> = self.topics.iter().map(Value::to_text).collect();
        let complete = |name: &Str| held.get(name).and_then(VecDeque::front).is_some_and(Group::is_complete);
        if names.is_empty() || !names.iter().all(complete) {
            return None;
        }
        // A topic may be listed twice: its sequence then comes twice.
        let fronts = names.iter().filter_map(|name| held.get(name).and_then(VecDeque::front));
        let msgs = fronts.flat_map(|group| group.msgs.iter().cloned()).collect();
        for name in &names {
            held.get_mut(name).and_then(VecDeque::pop_front);
        }
        held.retain(|_, groups| !groups.is_empty());
        Some(msgs)
    }
}

impl Node for Concat {
    fn receive(&self, msg: Msg) {
        if msg.has("reset") {
            complete(&self.cx, self.take_all());
            return self.cx.report().done(&msg);
        }
        // Node-RED lets messages of other topics go without a word.
        if !self.topics.contains(&msg.get("topic")) {
            return;
        }
        let parts = msg.get("parts");
        if ["id", "index", "count"].iter().any(|name| parts.get(name).is_undefined()) {
            return self.cx.report().error(self.cx.text("batch.no-parts", &[]), Some(&msg));
        }
        let most = self.cx.settings().message_buffer_max();
        if self.add(msg.clone()) > most && most > 0 {
            let rest = self.take_all().into_iter().filter(|held| held.object() != msg.object()).collect();
            self.cx.report().error(self.cx.text("batch.too-many", &[]), Some(&msg));
            return complete(&self.cx, rest);
        }
        if let Some(msgs) = self.take_complete() {
            send_sequence(&self.cx, &msgs);
            complete(&self.cx, msgs);
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.held.borrow().values().flatten().flat_map(|group| &group.msgs).for_each(|msg| self.cx.report().done(msg));
        Box::pin(std::future::ready(()))
    }
}
