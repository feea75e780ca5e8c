//! A line for people.

use flotilla_api::log::{LogLevel, LogLine};
use jiff::Timestamp;

use crate::plain;

/// Colours of replicas: those that read well on dark and on light.
const COLOURS: [u8; 6] = [36, 35, 34, 33, 32, 96];

/// `TIME LEVEL REPLICA message name=value`, with its line end.
pub fn text(line: &LogLine, colours: bool) -> String {
    let time = i64::try_from(line.time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let time = time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default();
    let level = format!("{:>5}", line.level.name());
    let replica = match &*line.replica {
        "" => String::new(),
        replica => format!(" {}", paint(colours, colour(replica), &format!("{replica:<9}"))),
    };
    let about = if line.node_type.is_empty() { String::new() } else { line.about() };
    let repeated = match line.repeated {
        0 => String::new(),
        times => format!(" ({times} more times since the last such line)"),
    };
    let said = format!("{about}{}{}{repeated}", line.message, line.fields_text());
    let (time, level) = (paint(colours, 2, &time), paint(colours, of_level(line.level), &level));
    format!("{time} {level}{replica} {}\n", plain::one_line(&said))
}

/// A line that a process wrote in its own way, for the same columns.
pub fn foreign(replica: &str, said: &str, colours: bool) -> String {
    format!("{} {}\n", paint(colours, colour(replica), &format!("{replica:<9}")), plain::one_line(said))
}

fn of_level(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 31,
        LogLevel::Warn => 33,
        LogLevel::Info => 32,
        LogLevel::Debug => 34,
        LogLevel::Trace => 35,
    }
}

/// The same replica has the same colour everywhere.
fn colour(replica: &str) -> u8 {
    let sum: usize = replica.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()]
}

/// ECMA-48, select graphic rendition.
fn paint(colours: bool, colour: u8, text: &str) -> String {
    if colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> LogLine {
        LogLine {
            time_ms: 1_000,
            replica: "plant-1".to_owned(),
            level: LogLevel::Warn,
            node: "n1".to_owned(),
            node_type: "function".to_owned(),
            node_name: "work".to_owned(),
            tab_label: "Line 1".to_owned(),
            message: "a\nb".to_owned(),
            fields: [("topic".to_owned(), "t".into()), ("n".to_owned(), 3.into())].into_iter().collect(),
            ..LogLine::default()
        }
    }

    #[test]
    fn a_line_says_when_where_and_what() {
        let wanted =
            "1970-01-01T00:00:01.000Z  WARN plant-1   [Line 1] function \"work\" (n1): a\\nb topic=\"t\" n=3\n";
        assert_eq!(text(&line(), false), wanted);
        let own = LogLine { message: "m".to_owned(), repeated: 2, ..LogLine::default() };
        assert_eq!(text(&own, false), "1970-01-01T00:00:00.000Z  INFO m (2 more times since the last such line)\n");
    }

    #[test]
    fn colours_change_nothing_else() {
        let coloured = text(&line(), true);
        let parts: Vec<_> =
            coloured.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
        assert_eq!(parts.concat(), text(&line(), false));
    }
}
