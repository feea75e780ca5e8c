//! Catch, status and complete nodes, and whom they listen to.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_flows::NodeConfig;
use rustc_hash::FxHashMap;

use crate::node::Identity;
use flotilla_value::Str;

use super::slot::Slot;

/// The catch, status and complete nodes of a worker, by the id of their flow.
#[derive(Default)]
pub(super) struct Listeners(RefCell<FxHashMap<Str, FlowListeners>>);

#[derive(Default)]
struct FlowListeners {
    catches: Vec<Listener>,
    statuses: Vec<Listener>,
    /// By the id of the node that they wait for.
    completes: FxHashMap<Str, Vec<Rc<Slot>>>,
}

/// A catch or status node and whom it listens to.
struct Listener {
    slot: Rc<Slot>,
    whom: Whom,
    uncaught: bool,
    rank: Rank,
}

/// When it is asked, among catch nodes that are equally near: Node-RED asks those of a scope first, and those for uncaught
/// errors last, wherever they stand in the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Scoped,
    Unscoped,
    Uncaught,
}

enum Whom {
    All,
    Group,
    Nodes(Vec<String>),
}

impl Listener {
    fn new(slot: Rc<Slot>, config: &NodeConfig) -> Listener {
        let whom = match config.get("scope") {
            Some(serde_json::Value::Array(ids)) => {
                Whom::Nodes(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
            }
            Some(serde_json::Value::String(text)) if text == "group" => Whom::Group,
            _ => Whom::All,
        };
        let uncaught = config.bool("uncaught");
        let rank = match whom {
            Whom::All if uncaught => Rank::Uncaught,
            Whom::All => Rank::Unscoped,
            Whom::Group | Whom::Nodes(_) => Rank::Scoped,
        };
        Listener { slot, whom, uncaught, rank }
    }

    /// How many groups away the reporting node is; `None` when this listener does not hear it.
    fn distance(&self, reporting: &Identity) -> Option<usize> {
        if let Whom::Nodes(ids) = &self.whom
            && !ids.iter().any(|id| id == reporting.id())
        {
            return None;
        }
        let own = self.slot.cx.scope();
        let own_group = own.is_group().then(|| own.id.clone());
        let only_group = own_group.is_some() && matches!(self.whom, Whom::Group);
        let mut at = Some(reporting.scope().clone()).filter(|scope| scope.is_group());
        if at.is_none() {
            return (!only_group).then_some(0);
        }
        let mut distance = 0;
        while let Some(group) = at {
            if Some(&group.id) == own_group.as_ref() {
                return Some(distance);
            }
            distance += 1;
            at = group.parent.clone().filter(|scope| scope.is_group());
        }
        (!only_group).then_some(distance)
    }
}

impl Listeners {
    /// Enters a node into its flow's lists when it is a catch, status or complete node.
    pub(super) fn register(&self, slot: &Rc<Slot>) {
        let cx = &slot.cx;
        let kind = cx.kind().as_str();
        if !matches!(kind, "catch" | "status" | "complete") {
            return;
        }
        let mut flows = self.0.borrow_mut();
        let flow = flows.entry(cx.scope().flow().id.clone()).or_default();
        match kind {
            "catch" => {
                let listener = Listener::new(slot.clone(), cx.config());
                let at = flow.catches.partition_point(|other| other.rank <= listener.rank);
                flow.catches.insert(at, listener);
            }
            "status" => flow.statuses.push(Listener::new(slot.clone(), cx.config())),
            _ => {
                let Some(serde_json::Value::Array(ids)) = cx.config().get("scope") else { return };
                for id in ids.iter().filter_map(serde_json::Value::as_str) {
                    flow.completes.entry(Str::new(id)).or_default().push(slot.clone());
                }
            }
        }
    }

    /// Empties all lists, before the nodes of a deploy are entered anew.
    pub(super) fn forget_all(&self) {
        self.0.borrow_mut().clear();
    }

    /// The catch nodes of a flow that hear a node, the nearest group first; with each whether it is for uncaught errors only.
    pub(super) fn catches(&self, flow: &str, reporting: &Identity) -> Vec<(Rc<Slot>, bool)> {
        self.0.borrow().get(flow).map(|flow| heard(&flow.catches, reporting)).unwrap_or_default()
    }

    /// The status nodes of a flow that hear a node, the nearest group first.
    pub(super) fn statuses(&self, flow: &str, reporting: &Identity) -> Vec<(Rc<Slot>, bool)> {
        self.0.borrow().get(flow).map(|flow| heard(&flow.statuses, reporting)).unwrap_or_default()
    }

    /// The complete nodes of a node's flow that wait for it.
    pub(super) fn completes(&self, node: &Identity) -> Vec<Rc<Slot>> {
        let flows = self.0.borrow();
        // Most flows have none: then nothing is looked up.
        if flows.is_empty() {
            return Vec::new();
        }
        flows.get(&node.scope().flow().id).and_then(|flow| flow.completes.get(node.id())).cloned().unwrap_or_default()
    }
}

/// Who hears a node, the nearest group first; the stable sort keeps the list's order among equals.
fn heard(listeners: &[Listener], reporting: &Identity) -> Vec<(Rc<Slot>, bool)> {
    let mut found: Vec<_> = listeners
        .iter()
        .filter_map(|listener| Some((listener.distance(reporting)?, listener.slot.clone(), listener.uncaught)))
        .collect();
    found.sort_by_key(|(distance, ..)| *distance);
    found.into_iter().map(|(_, slot, uncaught)| (slot, uncaught)).collect()
}
