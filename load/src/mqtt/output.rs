//! Which messages an output answers.

use serde_json::Value;

use crate::scenario::Collect;
use crate::shared::Run;

/// What a flow sent.
pub struct Output<'a> {
    /// Its topic.
    pub topic: &'a [u8],
    /// Its properties, encoded.
    pub properties: &'a [u8],
    /// Its payload.
    pub payload: &'a [u8],
}

impl Output<'_> {
    /// Counts it.
    pub fn count(&self, run: &Run, collect: &Collect, now: f64) {
        let mut book = run.book.borrow_mut();
        let found = match &collect.sequence {
            Some(path) => {
                let message = serde_json::from_slice::<Value>(self.payload).ok().and_then(|value| {
                    let seq = number(path.get(&value)?)?;
                    Some((self.key(run, collect, &value)?, seq))
                });
                if let Some((key, seq)) = message {
                    book.receive(key, seq, now);
                }
                usize::from(message.is_some())
            }
            None => {
                // The mark is in one place only; a flow may have copied it into the other.
                let mut receive = |mark: crate::template::Mark| book.receive(mark.key, mark.seq, now);
                match run.finder.each(self.payload, &mut receive) {
                    0 => run.finder.each(self.properties, receive),
                    found => found,
                }
            }
        };
        if found == 0 {
            book.tracker.totals_mut().unmarked += 1;
        }
    }

    fn key(&self, run: &Run, collect: &Collect, value: &Value) -> Option<u32> {
        if let Some(path) = &collect.key {
            return match path.get(value)? {
                Value::String(name) => run.keys.named(name),
                other => run.keys.named(&other.to_string()),
            };
        }
        if let Some(level) = collect.level {
            return run.keys.named(std::str::from_utf8(self.topic).ok()?.split('/').nth(level)?);
        }
        run.keys.single()
    }
}

/// A sequence, as a number or as text.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
