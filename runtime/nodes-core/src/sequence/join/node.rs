//! The join node.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Path, Str, Value};

use super::config::{Build, Config, Mode};
use super::group::Group;
use super::reduce::Reduce;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("join", build);

struct Join(Rc<Inner>);

struct Inner {
    cx: NodeCx,
    config: Config,
    groups: RefCell<HashMap<Str, Group>>,
    turns: Cell<u64>,
}

/// What a message says about its group.
struct Part {
    group: Str,
    build: Build,
    property: String,
    target: f64,
    joiner: Value,
    key: Option<Value>,
    chunk: f64,
    index: Option<usize>,
    value: Value,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = Config::new(&cx)?;
    if config.mode == Mode::Reduce {
        return Ok(Rc::new(Reduce::new(cx)?));
    }
    Ok(Rc::new(Join(Rc::new(Inner { cx, config, groups: RefCell::default(), turns: Cell::new(0) }))))
}

impl Node for Join {
    fn receive(&self, msg: Msg) {
        Inner::receive(&self.0, msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.0.groups.borrow().values().flat_map(|group| &group.msgs).for_each(|msg| self.0.cx.report().done(msg));
        Box::pin(std::future::ready(()))
    }
}

impl Inner {
    fn receive(self: &Rc<Inner>, mut msg: Msg) {
        let (cx, config) = (&self.cx, &self.config);
        let value = match &config.property {
            None => msg.value(),
            Some(path) => {
                let Ok(value) = msg.get_path(path) else {
                    cx.report().warn(format!("Message property {} not found", config.property_name));
                    return cx.report().done(&msg);
                };
                value
            }
        };
        if config.mode == Mode::Auto && msg.get("parts").get("id").is_undefined() {
            if msg.has("reset") {
                self.groups.take().into_values().flat_map(|group| group.msgs).for_each(|msg| cx.report().done(&msg));
            } else {
                cx.report().warn("Message missing msg.parts property - cannot join in 'auto' mode");
            }
            return cx.report().done(&msg);
        }
        if config.mode == Mode::Custom && !config.use_parts && msg.has("parts") {
            match msg.get("parts").get("parts") {
                Value::Undefined => drop(msg.remove("parts")),
                outer => msg.set("parts", [("parts", outer)].into_iter().collect::<Object>()),
            }
        }
        let part = match config.mode {
            Mode::Auto => auto_part(&msg),
            _ => self.custom_part(&msg, value),
        };
        let part = match part {
            Ok(part) => part,
            Err(text) => return cx.report().error(text, Some(&msg)),
        };
        if msg.has("restartTimeout") {
            self.restart(&part.group);
        }
        if msg.has("reset") {
            let group = self.groups.borrow_mut().remove(&part.group);
            group.into_iter().flat_map(|group| group.msgs).for_each(|msg| cx.report().done(&msg));
            return cx.report().done(&msg);
        }
        if part.build == Build::Object && part.key.is_none() {
            self.without_key(&msg, &part.group);
            return cx.report().done(&msg);
        }
        self.add(msg, part);
    }

    fn custom_part(&self, msg: &Msg, value: Value) -> Result<Part, String> {
        let config = &self.config;
        let (mut target, mut group) = (config.count, Str::new_static("_"));
        if config.count_from_parts && msg.has("parts") {
            let parts = msg.get("parts");
            target = parts.get("count").as_number().unwrap_or(0.0);
            if !parts.get("id").is_undefined() {
                group = parts.get("id").to_text();
            }
        }
        let key = match config.build {
            Build::Object => Some(msg.get_path(&config.key).map_err(|error| error.to_string())?).filter(usable_key),
            _ => None,
        };
        Ok(Part {
            group,
            build: config.build,
            property: config.property_name.clone(),
            target,
            joiner: config.joiner.clone(),
            key,
            chunk: 1.0,
            index: None,
            value,
        })
    }

    fn without_key(&self, msg: &Msg, group: &Str) {
        if self.config.mode == Mode::Auto {
            self.cx.report().warn("Message missing 'msg.parts.key' property - cannot add to object");
        } else if msg.has("complete") {
            if let Some(group) = self.groups.borrow_mut().get_mut(group) {
                group.merged.insert("complete", msg.get("complete"));
            }
            self.complete(group);
        } else {
            self.cx
                .report()
                .warn(format!("Message missing key property 'msg.{}' - cannot add to object", self.config.key_name));
        }
    }

    fn add(self: &Rc<Inner>, msg: Msg, part: Part) {
        let joinable = matches!(part.value, Value::Buffer(_) | Value::String(_) | Value::Array(_) | Value::Undefined);
        if part.build == Build::Buffer && !joinable {
            let text = self.cx.text("join.errors.invalid-type", &[("error", part.value.type_of())]);
            return self.cx.report().error(text, Some(&msg));
        }
        let mut groups = self.groups.borrow_mut();
        let fresh = !groups.contains_key(&part.group);
        let group = groups
            .entry(part.group.clone())
            .or_insert_with(|| Group::new(part.build, part.target, part.property, part.joiner, part.chunk, 0));
        match (part.build, &part.value) {
            (Build::Object, _) => {
                let key = part.key.map(|key| key.to_text()).unwrap_or_default();
                group.set(&key, part.value);
            }
            (Build::Merged, Value::Object(object)) => group.merge(object),
            (Build::Merged, Value::Buffer(bytes)) => group.merge(&byte_properties(bytes)),
            (Build::Merged, value) if value.type_of() == "object" && !matches!(value, Value::Array(_)) => {}
            (Build::Merged, _) => {
                if !msg.has("complete") {
                    self.cx.report().warn("Cannot merge non-object types");
                }
            }
            _ => group.add(part.value, part.index),
        }
        for (key, value) in msg.object().iter() {
            group.merged.insert(key.clone(), value.clone());
        }
        if group.target <= 0.0 {
            group.target = msg.get("parts").get("count").as_number().unwrap_or(0.0);
        }
        let complete = group.is_complete() || msg.has("complete");
        group.msgs.push(msg);
        drop(groups);
        if complete {
            self.complete(&part.group);
        } else if fresh {
            self.restart(&part.group);
        }
    }

    /// Starts a group's time-out from now.
    fn restart(self: &Rc<Inner>, id: &Str) {
        let Some(timeout) = self.config.timeout else { return };
        let turn = self.turns.get() + 1;
        match self.groups.borrow_mut().get_mut(id) {
            Some(group) => group.turn = turn,
            None => return,
        }
        self.turns.set(turn);
        let (inner, id) = (self.clone(), id.clone());
        self.cx.work().spawn(async move {
            tokio::time::sleep(timeout).await;
            let current = inner.groups.borrow().get(&id).is_some_and(|group| group.turn == turn);
            if current {
                inner.complete(&id);
            }
        });
    }

    /// Sends what a group makes.
    fn complete(&self, id: &Str) {
        let mut groups = self.groups.borrow_mut();
        let Some(group) = groups.get_mut(id) else { return };
        let ends = self.config.mode == Mode::Auto || !self.config.accumulate || group.merged.contains_key("complete");
        let Some(last) = group.msgs.last() else { return };
        let mut out = last.with_object(group.merged.clone());
        let (result, property, msgs) = (group.result(), group.property.clone(), std::mem::take(&mut group.msgs));
        group.turn = 0;
        if ends {
            groups.remove(id);
        }
        drop(groups);
        match msgs.last().map(|last| last.get("parts").get("parts")) {
            Some(outer) if !outer.is_undefined() => out.set("parts", outer),
            _ => drop(out.remove("parts")),
        }
        out.remove("complete");
        let placed = Path::message(&property).and_then(|path| out.set_path(&path, result, true));
        match placed {
            Ok(_) => self.cx.out().send(out),
            Err(error) => self.cx.report().error(error.to_string(), Some(&out)),
        }
        for msg in &msgs {
            self.cx.report().done(msg);
        }
    }
}

/// What `msg.parts` says.
fn auto_part(msg: &Msg) -> Result<Part, String> {
    let parts = msg.get("parts");
    let property = parts.get("property");
    let property = if property.truthy() { property.to_text().to_string() } else { "payload".to_owned() };
    let path = Path::message(&property).map_err(|error| error.to_string())?;
    let kind = parts.get("type");
    let index = parts.get("index");
    Ok(Part {
        group: parts.get("id").to_text(),
        build: kind.as_str().map_or(Build::Array, Build::named),
        value: msg.get_path(&path).map_err(|error| error.to_string())?,
        property,
        target: parts.get("count").as_number().unwrap_or(0.0),
        joiner: parts.get("ch"),
        key: Some(parts.get("key")).filter(usable_key),
        chunk: parts.get("len").as_number().unwrap_or(1.0),
        index: Some(index.to_number()).filter(|at| *at >= 0.0 && !index.is_undefined()).map(|at| at as usize),
    })
}

/// The bytes under their indices, as `for (key in buffer)` gives them.
fn byte_properties(bytes: &[u8]) -> Object {
    bytes.iter().enumerate().map(|(at, byte)| (at.to_string(), f64::from(*byte))).collect()
}

fn usable_key(key: &Value) -> bool {
    !key.is_nullish() && key.as_str() != Some("")
}
