//! A log line of a node.

use flotilla_value::{Str, Value};

/// Node-RED's log levels, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// The runtime cannot go on.
    Fatal = 10,
    /// Something failed.
    Error = 20,
    /// Something is off.
    Warn = 30,
    /// What an operator wants to know.
    Info = 40,
    /// What a developer wants to know.
    Debug = 50,
    /// Everything.
    Trace = 60,
}

/// One log line.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// How bad it is.
    pub level: Level,
    /// The node's id; empty for the runtime itself.
    pub id: Str,
    /// The node's type.
    pub kind: Str,
    /// The node's name, or empty.
    pub name: Str,
    /// The tab or subflow instance.
    pub z: Str,
    /// Node-RED's path, `tab/instance`.
    pub path: Str,
    /// The name of the tab, for people; empty for the runtime itself.
    pub tab: String,
    /// What was logged: a text, an error or any value.
    pub msg: Value,
    /// Milliseconds since the epoch.
    pub timestamp: f64,
}
