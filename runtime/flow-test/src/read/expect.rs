//! What is to happen.

use super::super::case::{Expect, Expectation};
use super::super::matcher::Matcher;
use super::super::nodes::Nodes;
use super::cursor::{Cursor, Fields};
use super::inject::{context_entries, context_key, node};
use super::matcher::{matcher, message};

/// The field that says what kind of expectation it is.
const KINDS: [&str; 6] = ["at", "order", "error", "status", "response", "context"];

/// One entry of `expect`.
pub(super) fn expectations(at: &Cursor<'_>, nodes: &Nodes) -> Vec<Expectation> {
    let place = at.place_in_test();
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| at.json.get(kind).is_some()).collect();
    let found = match kinds.as_slice() {
        ["at"] | ["at", "order"] => arrivals(at, nodes),
        ["order"] => order(at, nodes),
        ["error"] => error(at, nodes),
        ["status"] => status(at, nodes),
        ["response"] => response(at),
        ["context"] => context(at, nodes),
        _ => {
            at.is_not(&format!("an expectation: an object with one of {}", KINDS.join(", ")));
            None
        }
    };
    found.into_iter().flatten().map(|what| Expectation { place: place.clone(), what }).collect()
}

/// `{"at": "node", "msg" | "msgs": ..., "order": "any", "count": 2, "nothing": true}`
fn arrivals(at: &Cursor<'_>, nodes: &Nodes) -> Option<Vec<Expect>> {
    let fields = at.fields(&["at", "msg", "msgs", "order", "count", "nothing"])?;
    let target = node(&fields.need("at")?, nodes)?;
    let mut found = Vec::new();
    let any_order = match fields.get("order") {
        Some(order) if order.json.as_str() == Some("any") => true,
        Some(order) => {
            order.is_not("\"any\"; without it messages are expected in the order in which they stand");
            false
        }
        None => false,
    };
    let msgs = messages(&fields);
    if !msgs.is_empty() {
        found.push(Expect::Messages { node: target.id.clone(), msgs, any_order });
    }
    if let Some(count) = fields.get("count").and_then(|count| count.whole_number(0)) {
        found.push(Expect::Count { node: target.id.clone(), count: count as usize });
    }
    if let Some(nothing) = fields.get("nothing") {
        match nothing.flag() {
            Some(true) => found.push(Expect::Count { node: target.id.clone(), count: 0 }),
            Some(false) => nothing.problem("leave it out: \"nothing\": false says nothing"),
            None => {}
        }
    }
    if found.is_empty() {
        at.problem("says nothing about the node: give \"msg\", \"msgs\", \"count\" or \"nothing\"");
    }
    Some(found)
}

fn messages(fields: &Fields<'_>) -> Vec<Matcher> {
    let one = fields.get("msg").map(|msg| message(&msg));
    let several = fields.get("msgs").iter().flat_map(Cursor::items).map(|msg| message(&msg)).collect::<Vec<_>>();
    one.into_iter().chain(several).collect()
}

/// `{"order": ["first", "second"]}`
fn order(at: &Cursor<'_>, nodes: &Nodes) -> Option<Vec<Expect>> {
    let fields = at.fields(&["order"])?;
    let names = fields.need("order")?;
    let found: Vec<String> = names.items().iter().filter_map(|name| Some(node(name, nodes)?.id.clone())).collect();
    if names.json.as_array().is_some_and(|names| names.len() < 2) {
        names.problem("an order needs two nodes or more");
    }
    Some(vec![Expect::Order(found)])
}

/// `{"error": {"node": "name", "message": ...}}`
fn error(at: &Cursor<'_>, nodes: &Nodes) -> Option<Vec<Expect>> {
    let fields = at.fields(&["error"])?.need("error")?.fields(&["node", "message"])?;
    let source = match fields.get("node") {
        Some(name) => Some(node(&name, nodes)?.id.clone()),
        None => None,
    };
    let message = fields.get("message").map_or(Matcher::Any, |message| matcher(&message));
    Some(vec![Expect::Error { node: source, message }])
}

/// `{"status": {"node": "name", "fill": ..., "shape": ..., "text": ...}}`
fn status(at: &Cursor<'_>, nodes: &Nodes) -> Option<Vec<Expect>> {
    let fields = at.fields(&["status"])?.need("status")?.fields(&["node", "fill", "shape", "text"])?;
    let source = node(&fields.need("node")?, nodes)?;
    let parts = ["fill", "shape", "text"].into_iter();
    let parts = parts.filter_map(|part| Some((part.to_owned(), matcher(&fields.get(part)?)))).collect();
    let status = Matcher::Contains(super::super::matcher::Contains::Properties(parts));
    Some(vec![Expect::Status { node: source.id.clone(), status }])
}

/// `{"response": {"status": 200, "headers": {...}, "body": ...}}`; its number comes from its place among the others.
fn response(at: &Cursor<'_>) -> Option<Vec<Expect>> {
    let fields = at.fields(&["response"])?.need("response")?.fields(&["status", "headers", "body"])?;
    let some = |properties| Matcher::Contains(super::super::matcher::Contains::Properties(properties));
    let mut parts: Vec<(String, Matcher)> = ["status", "body"]
        .into_iter()
        .filter_map(|part| Some((part.to_owned(), matcher(&fields.get(part)?))))
        .collect();
    if let Some(headers) = fields.get("headers") {
        let headers = headers.entries().into_iter().map(|(name, value)| (name.to_lowercase(), matcher(&value)));
        parts.push(("headers".to_owned(), some(headers.collect())));
    }
    Some(vec![Expect::Response { number: 0, response: some(parts) }])
}

/// `{"context": {"global": {...}, "flow": {...}, "node": {...}}}`
fn context(at: &Cursor<'_>, nodes: &Nodes) -> Option<Vec<Expect>> {
    let entries = at.fields(&["context"])?.need("context")?;
    let expected = context_entries(&entries, nodes).into_iter().filter_map(|(whose, key, at)| {
        let (store, key) = context_key(key, &at)?;
        Some(Expect::Context { whose, store, key, value: matcher(&at) })
    });
    Some(expected.collect())
}
