//! Log lines.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::node::Unanswered;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is off.
    Warn,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// One log line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogLine {
    /// When, milliseconds since the epoch, on the clock of the process.
    pub time_ms: u64,
    /// Its place in the log of `replica`. Positions of a process grow by one; those of a later process with the same id are
    /// greater.
    pub position: u64,
    /// The group.
    pub group: String,
    /// The replica's id; `up` or `gateway` for lines of that process itself.
    pub replica: String,
    /// The revision that ran; empty before the first.
    pub revision: String,
    /// How bad it is.
    pub level: LogLevel,
    /// The id of the tab; empty when it is about no node.
    pub tab: String,
    /// The tab's name.
    pub tab_label: String,
    /// The node's id; empty when it is about none.
    pub node: String,
    /// Its name, or empty.
    pub node_name: String,
    /// Its type.
    pub node_type: String,
    /// What is said.
    pub message: String,
    /// Values that go with it, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// How often the same line was left out before this one.
    #[serde(skip_serializing_if = "crate::omit::is_default")]
    pub repeated: u64,
}

/// Where to go on: for each replica the position of the last line that was shown. Written `ID:POSITION,ID:POSITION`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCursor(pub BTreeMap<String, u64>);

/// Which lines are wanted. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogFilter {
    /// Those of this replica.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replica: String,
    /// Those about this node, by id or name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Those about nodes of this tab, by id or name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tab: String,
    /// Those at least so bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// Those at or after this time, milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Those before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Those whose message or fields contain this text, whatever the case of its letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub grep: String,
}

/// Log lines of a group. `GET /api/v1/groups/{group}/logs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogPage {
    /// The lines, by time; those of one replica in the order in which it wrote them.
    pub lines: Vec<LogLine>,
    /// Where to go on (`after=`).
    pub cursor: String,
    /// There are more lines behind these.
    pub more: bool,
    /// The replicas that do not answer: what they wrote since then is not here yet.
    pub unanswered: Vec<Unanswered>,
}

impl LogFilter {
    /// True for a line that is wanted. The group is not looked at.
    pub fn wants(&self, line: &LogLine) -> bool {
        let is = |wanted: &str, id: &str, name: &str| wanted.is_empty() || wanted == id || wanted == name;
        is(&self.replica, &line.replica, "")
            && is(&self.node, &line.node, &line.node_name)
            && is(&self.tab, &line.tab, &line.tab_label)
            && self.level.is_none_or(|level| line.level <= level)
            && self.since.is_none_or(|since| line.time_ms >= since)
            && self.until.is_none_or(|until| line.time_ms < until)
            && (self.grep.is_empty() || self.finds(line))
    }

    fn finds(&self, line: &LogLine) -> bool {
        let wanted = self.grep.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        has(&line.message) || line.fields.iter().any(|(name, value)| has(&format!("{name}={value}")))
    }
}

impl LogCursor {
    /// True for a line behind it.
    pub fn is_before(&self, line: &LogLine) -> bool {
        self.0.get(&line.replica).is_none_or(|position| *position < line.position)
    }

    /// Moves it behind all that another is behind of.
    pub fn join(&mut self, other: &LogCursor) {
        for (replica, position) in &other.0 {
            let at = self.0.entry(replica.clone()).or_default();
            *at = (*at).max(*position);
        }
    }

    /// Moves it behind a line.
    pub fn pass(&mut self, line: &LogLine) {
        let position = self.0.entry(line.replica.clone()).or_default();
        *position = line.position.max(*position);
    }
}

impl LogLine {
    /// The fields as ` name=value`, texts in quotes.
    pub fn fields_text(&self) -> String {
        self.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect()
    }

    /// What it is about: `[tab] type "name" (id): `; empty when it is about no node.
    pub fn about(&self) -> String {
        if self.node.is_empty() {
            return String::new();
        }
        let name = if self.node_name.is_empty() { String::new() } else { format!(" \"{}\"", self.node_name) };
        let tab = if self.tab_label.is_empty() { &self.tab } else { &self.tab_label };
        format!("[{tab}] {}{name} ({}): ", self.node_type, self.node)
    }
}

impl LogLevel {
    /// Its name in five letters, as log lines have it.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "ERROR",
            LogLevel::Warn => "WARN",
            LogLevel::Info => "INFO",
            LogLevel::Debug => "DEBUG",
            LogLevel::Trace => "TRACE",
        }
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<LogLevel, String> {
        let all = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
        let found = all.into_iter().find(|level| level.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("\"{text}\" is no level: use error, warn, info, debug or trace"))
    }
}

impl FromStr for LogCursor {
    type Err = String;

    fn from_str(text: &str) -> Result<LogCursor, String> {
        let part = |part: &str| {
            let (replica, position) = part.rsplit_once(':')?;
            Some((replica.to_owned(), position.parse().ok()?))
        };
        let parts: Option<_> = text.split(',').filter(|part| !part.is_empty()).map(part).collect();
        parts.map(LogCursor).ok_or_else(|| format!("\"{text}\" is no cursor: take the one of an earlier answer"))
    }
}

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (replica, position)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{replica}:{position}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(replica: &str, position: u64) -> LogLine {
        LogLine { replica: replica.to_owned(), position, ..LogLine::default() }
    }

    #[test]
    fn a_cursor_is_a_position_for_each_replica() {
        let mut cursor: LogCursor = "a-1:7,b.2:9".parse().unwrap();
        assert_eq!(cursor.to_string(), "a-1:7,b.2:9");
        assert!(
            !cursor.is_before(&line("a-1", 7)) && cursor.is_before(&line("a-1", 8)) && cursor.is_before(&line("c", 0))
        );
        cursor.pass(&line("a-1", 8));
        cursor.pass(&line("a-1", 3));
        assert_eq!(cursor.to_string(), "a-1:8,b.2:9");
        assert_eq!("".parse(), Ok(LogCursor::default()));
        assert!("a".parse::<LogCursor>().is_err() && "a:x".parse::<LogCursor>().is_err());
    }

    #[test]
    fn all_that_a_filter_gives_must_hold() {
        let wanted = |filter: LogFilter| {
            let fields = [("topic".to_owned(), Value::from("Plant/A"))].into_iter().collect();
            let line = LogLine {
                time_ms: 100,
                replica: "r".to_owned(),
                node: "n1".to_owned(),
                node_name: "work".to_owned(),
                level: LogLevel::Warn,
                message: "too hot".to_owned(),
                fields,
                ..LogLine::default()
            };
            filter.wants(&line)
        };
        let text = |text: &str| text.to_owned();
        assert!(wanted(LogFilter::default()));
        assert!(wanted(LogFilter { node: text("n1"), level: Some(LogLevel::Info), ..LogFilter::default() }));
        assert!(wanted(LogFilter { node: text("work"), since: Some(100), until: Some(101), ..LogFilter::default() }));
        assert!(wanted(LogFilter { grep: text("plant/a"), ..LogFilter::default() }));
        assert!(!wanted(LogFilter { level: Some(LogLevel::Error), ..LogFilter::default() }));
        assert!(!wanted(LogFilter { until: Some(100), ..LogFilter::default() }));
        assert!(!wanted(LogFilter { grep: text("cold"), ..LogFilter::default() }));
        assert!(!wanted(LogFilter { replica: text("s"), ..LogFilter::default() }));
    }
}
