//! What goes in: messages, context and answers.

use std::time::Duration;

use super::super::case::{Answer, ContextValue, Inject, Input, Whose};
use super::super::isolate::Role;
use super::super::nodes::{NodeInfo, Nodes};
use super::cursor::{Cursor, Fields};
use super::literal::{literal, object};
use super::request;
use flotilla_engine::context::ScopeKey;
use flotilla_value::{Object, Path};

/// The node that a text names.
pub(super) fn node<'n>(at: &Cursor<'_>, nodes: &'n Nodes) -> Option<&'n NodeInfo> {
    let text = at.text()?;
    match nodes.find(text) {
        Ok(node) => Some(node),
        Err(why) => {
            at.problem(format!("\"{text}\": {why}"));
            None
        }
    }
}

/// One entry of `inject`.
pub(super) fn inject(at: &Cursor<'_>, nodes: &Nodes) -> Option<Inject> {
    let fields = at.fields(&["at", "from", "output", "msg", "request", "times", "after"])?;
    let what = match fields.get("request") {
        Some(asked) => {
            for key in ["at", "from", "output", "msg"] {
                if let Some(field) = fields.get(key) {
                    field.problem(format!("\"{key}\" goes with a message that goes in, not with a request"));
                }
            }
            Input::Request(request::request(&asked)?)
        }
        None => message_in(at, &fields, nodes)?,
    };
    Some(Inject {
        what,
        times: fields.get("times").map_or(Some(1), |times| times.whole_number(1))?,
        after: fields.get("after").map_or(Some(Duration::ZERO), |after| after.seconds())?,
    })
}

fn message_in(at: &Cursor<'_>, fields: &Fields<'_>, nodes: &Nodes) -> Option<Input> {
    let (to, from) = (fields.get("at"), fields.get("from"));
    if to.is_some() == from.is_some() {
        at.problem(
            "needs \"at\" (the message arrives at this node), \"from\" (this node sends it) or \"request\", and one of them only",
        );
        return None;
    }
    let output = match (&from, fields.get("output")) {
        (None, Some(output)) => {
            output.problem("\"output\" goes with \"from\": a message arrives at a node by its one input");
            None
        }
        (None, None) => None,
        (Some(_), None) => Some(0),
        (Some(_), Some(output)) => Some(output.whole_number(1)? as usize - 1),
    };
    let target = node(&to.or(from)?, nodes)?;
    if target.is_config {
        at.problem(format!("{} \"{}\" is a configuration node: it takes no messages", target.kind, target.label()));
        return None;
    }
    let msg = fields.get("msg").map(|msg| message(&msg)).unwrap_or_default();
    Some(Input::Message { node: target.id.clone(), output, msg })
}

fn message(at: &Cursor<'_>) -> Object {
    if at.json.is_object() {
        return object(at);
    }
    at.is_not("a message: an object such as {\"payload\": 1}");
    Object::new()
}

/// Context values: `{"global": {...}, "flow": {"Tab": {...}}, "node": {"name": {...}}}`.
pub(super) fn context(at: &Cursor<'_>, nodes: &Nodes) -> Vec<ContextValue> {
    let mut values = Vec::new();
    for (whose, key, at) in context_entries(at, nodes) {
        if let Some((store, key)) = context_key(key, &at) {
            values.push(ContextValue { whose, store, key, value: literal(&at) });
        }
    }
    values
}

/// The entries of such an object: whose, key, value.
pub(super) fn context_entries<'a>(at: &Cursor<'a>, nodes: &Nodes) -> Vec<(Whose, &'a str, Cursor<'a>)> {
    let Some(fields) = at.fields(&["global", "flow", "node"]) else { return Vec::new() };
    let mut entries = Vec::new();
    let mut add = |whose: &Whose, at: &Cursor<'a>| {
        entries.extend(at.entries().into_iter().map(|(key, value)| (whose.clone(), key, value)));
    };
    if let Some(global) = fields.get("global") {
        add(&Whose { label: "global".to_owned(), scope: ScopeKey::global() }, &global);
    }
    for (name, at) in fields.get("flow").iter().flat_map(Cursor::entries) {
        match nodes.find_flow(name) {
            Ok(id) => add(&Whose { label: format!("flow \"{name}\""), scope: ScopeKey::flow(id) }, &at),
            Err(why) => at.problem(format!("\"{name}\": {why}")),
        }
    }
    for (name, at) in fields.get("node").iter().flat_map(Cursor::entries) {
        match nodes.find(name) {
            Ok(node) => add(&Whose { label: format!("node \"{name}\""), scope: node.context() }, &at),
            Err(why) => at.problem(format!("\"{name}\": {why}")),
        }
    }
    entries
}

/// A key as the editor writes it: `key`, or `#:(store)::key`.
pub(super) fn context_key(text: &str, at: &Cursor<'_>) -> Option<(Option<String>, String)> {
    let (store, key) = match text.strip_prefix("#:(").and_then(|rest| rest.split_once(")::")) {
        Some((store, key)) => (Some(store.to_owned()), key),
        None => (None, text),
    };
    if let Err(error) = Path::parse(key) {
        at.problem(format!("\"{key}\" is not a key of context: {error}"));
        return None;
    }
    Some((store, key.to_owned()))
}

/// What an isolated node answers: one answer, or several.
pub(super) fn answers(name: &str, at: &Cursor<'_>, nodes: &Nodes) -> Option<(String, Vec<Answer>)> {
    let node = match nodes.find(name) {
        Ok(node) => node,
        Err(why) => {
            at.problem(format!("\"{name}\": {why}"));
            return None;
        }
    };
    if !matches!(Role::of(&node.kind), Some(Role::Output | Role::Request)) {
        at.problem(format!(
            "{} \"{name}\" gives its own answers: only isolated nodes that take messages need some",
            node.kind
        ));
        return None;
    }
    let each = if at.json.is_array() { at.items() } else { vec![at.clone()] };
    let answers: Vec<Answer> = each.iter().filter_map(answer).collect();
    if each.is_empty() {
        at.problem("there is no answer in it");
    }
    Some((node.id.clone(), answers))
}

fn answer(at: &Cursor<'_>) -> Option<Answer> {
    let fields = at.fields(&["msg", "output", "error"])?;
    if let Some(error) = fields.get("error") {
        return Some(Answer::Error(error.text()?.to_owned()));
    }
    let msg = message(&fields.need("msg")?);
    let output = fields.get("output").map_or(Some(1), |output| output.whole_number(1))? as usize - 1;
    Some(Answer::Send { output, msg })
}
