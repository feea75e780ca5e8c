//! Sequences through a switch node: waiting for whole ones, and repairing the parts of what goes out.

use rustc_hash::FxHashMap;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_value::{Str, Value};

/// Messages that wait: for the count of their sequence, or for the rest of it to be sent on.
#[derive(Default)]
pub(super) struct Sequences {
    waiting: FxHashMap<Str, Group>,
    sent: FxHashMap<Str, Vec<Vec<Option<Msg>>>>,
    held: usize,
}

#[derive(Default)]
struct Group {
    msgs: Vec<Msg>,
    count: Option<f64>,
}

fn part(msg: &Msg, key: &str) -> Value {
    msg.get("parts").get(key)
}

impl Sequences {
    /// How many messages are held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Sequences::default();
    }

    /// Holds a message until its sequence is whole; then all of it, each with the count.
    pub(super) fn wait(&mut self, msg: Msg) -> Option<Vec<Msg>> {
        let id = part(&msg, "id").to_text();
        let group = self.waiting.entry(id.clone()).or_default();
        if let Some(count) = part(&msg, "count").as_number() {
            group.count = Some(count);
        }
        group.msgs.push(msg);
        self.held += 1;
        let whole = group.count.is_some_and(|count| (count - group.msgs.len() as f64).abs() < 0.5);
        if !whole {
            return None;
        }
        let group = self.waiting.remove(&id)?;
        self.held -= group.msgs.len().min(self.held);
        let count = group.count.unwrap_or_default();
        Some(group.msgs.into_iter().map(|msg| with_parts(msg, &[("count", count.into())])).collect())
    }

    /// Holds what one message of a sequence sends to each output; when the sequence is through, the rows to send, with new
    /// parts for each output.
    pub(super) fn repair(&mut self, msg: &Msg, outputs: Vec<Option<Msg>>) -> Option<Vec<Vec<Option<Msg>>>> {
        let id = part(msg, "id").to_text();
        let rows = self.sent.entry(id.clone()).or_default();
        rows.push(outputs);
        self.held += 1;
        let whole = part(msg, "count").as_number().is_some_and(|count| (count - rows.len() as f64).abs() < 0.5);
        if !whole {
            return None;
        }
        let rows = self.sent.remove(&id)?;
        self.held -= rows.len().min(self.held);
        let ports = rows.iter().map(Vec::len).max().unwrap_or(0);
        let sent_to = |port: usize| rows.iter().filter(|row| row.get(port).is_some_and(Option::is_some)).count();
        let counts: Vec<usize> = (0..ports).map(sent_to).collect();
        let ids: Vec<Str> = (0..ports).map(|_| generate_id()).collect();
        let mut next = vec![0usize; ports];
        let number = |row: Vec<Option<Msg>>| {
            let numbered = row.into_iter().enumerate().map(|(port, msg)| {
                let msg = msg?;
                let index = next[port];
                next[port] += 1;
                let parts = [
                    ("id", Value::String(ids[port].clone())),
                    ("index", Value::Number(index as f64)),
                    ("count", Value::Number(counts[port] as f64)),
                ];
                Some(with_parts(msg, &parts))
            });
            numbered.collect()
        };
        Some(rows.into_iter().map(number).collect())
    }
}

fn with_parts(mut msg: Msg, fields: &[(&str, Value)]) -> Msg {
    if let Some(parts) = msg.object_mut().get_mut("parts").and_then(Value::as_object_mut) {
        for (key, value) in fields {
            parts.insert(*key, value.clone());
        }
    }
    msg
}
