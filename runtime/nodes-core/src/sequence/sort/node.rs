//! The sort node.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Path, Str, Value};

use super::key::Key;
use super::order::{compare, sort_by};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("sort", build);

struct Sort {
    cx: NodeCx,
    /// The property whose array is sorted; without one, sequences are.
    target: Option<Path>,
    key: Key,
    numbers: bool,
    descending: bool,
    groups: RefCell<FxHashMap<Str, Group>>,
    begun: Cell<u64>,
}

/// The messages of one sequence so far.
struct Group {
    number: u64,
    count: Option<f64>,
    msgs: Vec<Msg>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let path = |text: &str| Path::message(text).map_err(|error| NodeError::new(error.to_string()));
    let in_message = props::text(config, "targetType", "") == "msg";
    let target = if in_message { Some(path(&props::text(config, "target", "payload"))?) } else { None };
    let (kind, expression) = if in_message { ("msgKeyType", "msgKey") } else { ("seqKeyType", "seqKey") };
    let key = if props::text(config, kind, "") == "jsonata" {
        Key::expression(&cx, &props::text(config, expression, ""))?
    } else if in_message {
        Key::Element
    } else {
        Key::Property(path(&props::text(config, "seqKey", "payload"))?)
    };
    let node = Sort {
        target,
        key,
        numbers: props::flag(config, "as_num"),
        descending: props::text(config, "order", "ascending") != "ascending",
        groups: RefCell::default(),
        begun: Cell::new(0),
        cx: cx.clone(),
    };
    Ok(Rc::new(node))
}

impl Node for Sort {
    fn receive(&self, msg: Msg) {
        if let Some(target) = &self.target {
            return self.sort_property(msg, target);
        }
        if let Some(msgs) = self.collect(msg) {
            self.sort_sequence(msgs);
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        for group in self.groups.borrow().values() {
            self.cx.report().log(self.cx.text("sort.clear", &[]));
            for msg in &group.msgs {
                self.cx.report().done(msg);
            }
        }
        Box::pin(std::future::ready(()))
    }
}

impl Sort {
    /// Adds a message to its sequence; gives the sequence when that was the last one.
    fn collect(&self, msg: Msg) -> Option<Vec<Msg>> {
        let parts = msg.get("parts");
        if parts.get("id").is_undefined() || parts.get("index").is_undefined() {
            self.cx.report().done(&msg);
            return None;
        }
        let id = parts.get("id").to_text();
        let mut groups = self.groups.borrow_mut();
        let group = groups.entry(id.clone()).or_insert_with(|| {
            self.begun.set(self.begun.get() + 1);
            Group { number: self.begun.get(), count: None, msgs: Vec::new() }
        });
        group.msgs.push(msg);
        group.count = parts.get("count").as_number().or(group.count);
        if group.count == Some(group.msgs.len() as f64) {
            return groups.remove(&id).map(|group| group.msgs);
        }
        let most = self.cx.settings().message_buffer_max();
        let held: usize = groups.values().map(|group| group.msgs.len()).sum();
        if most > 0 && held > most {
            let oldest = groups.iter().min_by_key(|(_, group)| group.number).map(|(id, _)| id.clone());
            let given_up = oldest.and_then(|id| groups.remove(&id)).map(|group| group.msgs).unwrap_or_default();
            drop(groups);
            self.refuse(given_up, self.cx.text("sort.too-many", &[]));
        }
        None
    }

    /// The last message carries the error; the others are through.
    fn refuse(&self, mut msgs: Vec<Msg>, text: String) {
        if let Some(last) = msgs.pop() {
            self.cx.report().error(text, Some(&last));
        }
        for msg in &msgs {
            self.cx.report().done(msg);
        }
    }

    fn ordered<T>(&self, items: Vec<T>, value: impl Fn(&T) -> Value) -> Result<Vec<T>, (Vec<T>, String)> {
        let mut keyed = Vec::with_capacity(items.len());
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            match self.key.of(&value(&item), &self.cx) {
                Ok(key) => keyed.push((key, item)),
                Err(text) => {
                    let all = keyed.into_iter().map(|(_, item)| item).chain(std::iter::once(item)).chain(items);
                    return Err((all.collect(), text));
                }
            }
        }
        let order = |a: &(Value, T), b: &(Value, T)| -> Ordering {
            let order = compare(&a.0, &b.0, self.numbers);
            if self.descending { order.reverse() } else { order }
        };
        Ok(sort_by(keyed, &order).into_iter().map(|(_, item)| item).collect())
    }

    fn sort_sequence(&self, msgs: Vec<Msg>) {
        match self.ordered(msgs, Msg::value) {
            Ok(msgs) => {
                for (index, mut msg) in msgs.into_iter().enumerate() {
                    let mut parts = msg.get("parts");
                    if let Some(parts) = parts.as_object_mut() {
                        parts.insert("index", index as f64);
                    }
                    msg.set("parts", parts);
                    self.cx.out().send(msg.clone());
                    self.cx.report().done(&msg);
                }
            }
            Err((msgs, text)) => self.refuse(msgs, text),
        }
    }

    fn sort_property(&self, mut msg: Msg, target: &Path) {
        let data = match msg.get_path(target) {
            Ok(Value::Array(items)) => items.to_vec(),
            Ok(_) => return self.cx.report().done(&msg),
            Err(error) => return self.cx.report().error(error.to_string(), Some(&msg)),
        };
        // JavaScript keeps undefined elements at the end, whatever the order.
        let (holes, data): (Vec<Value>, Vec<Value>) = data.into_iter().partition(Value::is_undefined);
        let sorted = match self.ordered(data, Value::clone) {
            Ok(sorted) => sorted,
            Err((_, text)) => return self.cx.report().error(text, Some(&msg)),
        };
        let sorted = Value::array(sorted.into_iter().chain(holes).collect());
        if let Err(error) = msg.set_path(target, sorted, true) {
            return self.cx.report().error(error.to_string(), Some(&msg));
        }
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }
}
