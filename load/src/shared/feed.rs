//! What a publisher sends next: when it is due, which message it is, and what it carries.

use std::rc::Rc;

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::book::Book;
use super::pulse::Pulse;
use super::state::Run;
use crate::scenario::{MqttStream, Place, Stream};
use crate::template::{Fill, Mark};

/// See the module. The same for each client that sends, so that a scenario is the same with each.
pub struct Feed {
    run: Rc<Run>,
    /// Number of the stream.
    pub stream: usize,
    /// Number of the client in its stream, from 0.
    pub client: usize,
    pulse: Pulse,
    random: SmallRng,
    payload: Vec<u8>,
    turn: u64,
    due: f64,
    /// Something due could not be sent: the peer held it up.
    held: bool,
}

/// When the next message goes out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// Now.
    Now,
    /// At this time, in seconds from the begin of the run.
    At(f64),
    /// When an answer has come, or never.
    Waits,
}

/// A message that goes out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// Number of its key.
    pub key: u32,
    /// Its number within the key.
    pub seq: u32,
    /// Index of its topic in the stream's names.
    pub topic: usize,
    /// Seconds from which its latency counts.
    pub from: f64,
}

impl Feed {
    /// Of a client of a stream.
    pub fn new(run: Rc<Run>, stream: usize, client: usize) -> Feed {
        let definition = &run.scenario.streams[stream];
        let seed = run.scenario.seed ^ (stream as u64) << 40 ^ client as u64;
        Feed {
            pulse: Pulse::new(&definition.pace, client),
            random: SmallRng::seed_from_u64(seed),
            payload: Vec::new(),
            turn: 0,
            due: 0.0,
            held: false,
            run,
            stream,
            client,
        }
    }

    /// The stream.
    pub fn definition(&self) -> &Stream {
        &self.run.scenario.streams[self.stream]
    }

    /// The stream's MQTT side.
    pub fn mqtt(&self) -> &MqttStream {
        self.definition().kind.mqtt()
    }

    /// ClientID of this client.
    pub fn client_id(&self) -> String {
        format!("fl{:06x}s{}c{}", self.run.id, self.stream, self.client)
    }

    /// When the next message is due.
    pub fn due(&mut self, now: f64) -> Due {
        match self.pulse.due() {
            None => Due::Waits,
            Some(due) if due > now => {
                self.held = false;
                Due::At(due)
            }
            Some(due) => {
                self.due = due;
                Due::Now
            }
        }
    }

    /// What is due cannot be sent: the peer holds it up.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// An answer came.
    pub fn answered(&mut self, now: f64) {
        self.pulse.answered(now);
    }

    /// True when nothing more will be due.
    pub fn is_over(&mut self, now: f64) -> bool {
        self.pulse.is_over(now)
    }

    /// Takes the message for which [`Feed::due`] said [`Due::Now`], and counts it as sent.
    pub fn take(&mut self, book: &mut Book, now: f64) -> Outgoing {
        // What the peer held up counts from when it was due; what only the generator's timer held up does not.
        let by_clock = self.pulse.by_clock();
        let from = if self.held && by_clock { self.due } else { now };
        if by_clock && !self.held {
            book.late.record(((now - self.due) * 1e6) as u64);
        }
        self.pulse.pass(now);
        let (key, topic) = self.run.keys.of(self.stream, self.definition(), self.client, self.turn);
        self.turn += 1;
        let seq = book.send(self.stream, key, from, now);
        Outgoing { key, seq, topic, from }
    }

    /// Its topic.
    pub fn topic(&self, outgoing: Outgoing) -> &str {
        &self.definition().names[outgoing.topic]
    }

    /// Its mark.
    pub fn mark(&self, outgoing: Outgoing) -> Mark {
        Mark { run: self.run.id, key: outgoing.key, seq: outgoing.seq }
    }

    /// What the user property `load` says, where the mark is there.
    pub fn property(&self, outgoing: Outgoing) -> Option<Vec<u8>> {
        (self.definition().place == Place::Property).then(|| {
            let mut text = Vec::with_capacity(32);
            self.mark(outgoing).write(&mut text);
            text
        })
    }

    /// Writes its payload, which [`Feed::payload`] gives.
    pub fn fill(&mut self, outgoing: Outgoing) {
        self.payload.clear();
        let definition = &self.run.scenario.streams[self.stream];
        let fill = Fill {
            mark: Mark { run: self.run.id, key: outgoing.key, seq: outgoing.seq },
            key: self.run.keys.short(outgoing.key),
            topic: &definition.names[outgoing.topic],
            client: self.client + 1,
        };
        definition.payload.write(&mut self.payload, fill, &mut self.random);
    }

    /// The payload that was written last.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}
