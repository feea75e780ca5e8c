//! What was asked and answered, when.

use serde::{Deserialize, Serialize};

/// What a process asked for. Values are numbers, so that increments and swaps mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    Get,
    Set(i64),
    Delete,
    /// Expected (`None`: absent) and new.
    Cas(Option<i64>, i64),
    Incr(i64),
}

/// What the store answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Of a get.
    Value(Option<i64>),
    /// Of a set.
    Done,
    /// Of a delete or swap: whether it was made.
    Made(bool),
    /// Of an increment.
    Sum(i64),
}

/// One operation of one process. Times are the machine's clock in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub operation: Operation,
    pub asked: u64,
    /// `None`: no answer came (killed, or the store was away), so it may have been made at any later time, or never.
    pub answered: Option<(u64, Answer)>,
}

/// A line that a recording process says.
#[derive(Serialize, Deserialize)]
pub enum Line {
    Asked { key: String, operation: Operation, time: u64 },
    Answered { answer: Answer, time: u64 },
    Unknown,
}

/// Reads one process's lines; a process does one thing at a time.
pub fn parse(lines: &[String]) -> Vec<(String, Event)> {
    let mut events: Vec<(String, Event)> = Vec::new();
    for line in lines.iter().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Asked { key, operation, time } => {
                events.push((key, Event { operation, asked: time, answered: None }));
            }
            Line::Answered { answer, time } => {
                if let Some((_, event)) = events.last_mut() {
                    event.answered = Some((time, answer));
                }
            }
            Line::Unknown => {}
        }
    }
    events
}
