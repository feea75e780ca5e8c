//! Server-sent events, read (WHATWG HTML, section 9.2).

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty: `message`.
    pub name: String,
    /// Its id, for whoever begins again behind it.
    pub id: String,
    /// Its data.
    pub data: String,
}

/// What came of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Parser {
    rest: Vec<u8>,
    event: Event,
    has_data: bool,
}

/// A line without an end is refused past this.
const LONGEST: usize = 4 << 20;

impl Parser {
    /// Takes bytes; answers the events that are complete. `None` when a line is longer than 4 MiB.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Vec<Event>> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest[begin..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[begin..begin + length]).into_owned();
            begin += length + 1;
            events.extend(self.line(line.trim_end_matches('\r')));
        }
        self.rest.drain(..begin);
        (self.rest.len() <= LONGEST).then_some(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => value.clone_into(&mut self.event.id),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // Comments keep the connection alive.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_the_bytes_come() {
        let text = b": hello\n\nevent: debug\nid: 7\ndata: {\"a\":1}\n\ndata: x\r\ndata:y\r\n\r\ndata: cut";
        let wanted = [
            Event { name: "debug".to_owned(), id: "7".to_owned(), data: "{\"a\":1}".to_owned() },
            Event { data: "x\ny".to_owned(), ..Event::default() },
        ];
        for size in [1, 2, 3, 7, text.len()] {
            let mut parser = Parser::default();
            let events: Vec<_> = text.chunks(size).flat_map(|part| parser.take(part).unwrap()).collect();
            assert_eq!(events, wanted, "{size} bytes at a time");
        }
        assert!(Parser::default().take(&vec![b'x'; LONGEST + 1]).is_none());
    }
}
