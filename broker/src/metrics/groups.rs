//! Metrics of each share group, written at each scrape.

use std::fmt::{Display, Formatter, Result, Write as _};

use crate::router::{GroupStatus, Status};

/// Share groups shown at most, those with the longest queues first: clients name them, so their
/// number is not ours to bound otherwise.
const GROUPS: usize = 1000;
/// Members shown of one.
const MEMBERS: usize = 64;

/// A gauge of every group: its name and how to read it.
type Family = (&'static str, fn(&GroupStatus) -> f64);

const FAMILIES: [Family; 5] = [
    ("flotilla_broker_group_waiting", |group| group.waiting as f64),
    ("flotilla_broker_group_waiting_bytes", |group| group.waiting_bytes as f64),
    ("flotilla_broker_group_oldest_seconds", |group| group.oldest.map_or(0.0, |age| age.as_secs_f64())),
    ("flotilla_broker_group_in_flight", |group| group.in_flight as f64),
    ("flotilla_broker_group_members", |group| group.members.len() as f64),
];

/// Share groups and their members in Prometheus' text format. They come and go: a recorder would keep each for ever.
pub fn groups(status: &Status) -> String {
    let mut groups: Vec<&GroupStatus> = status.groups.iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.waiting));
    groups.truncate(GROUPS);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, &groups);
    text
}

fn write(text: &mut String, groups: &[&GroupStatus]) -> Result {
    for (name, read) in FAMILIES {
        writeln!(text, "# TYPE {name} gauge")?;
        for group in groups {
            writeln!(text, "{name}{{{}}} {}", Labels(group), read(group))?;
        }
        text.push('\n');
    }
    let name = "flotilla_broker_member_in_flight";
    writeln!(text, "# TYPE {name} gauge")?;
    for group in groups {
        // By position, not by ClientID: clients without a name get a new one at every connection.
        for (at, member) in group.members.iter().enumerate().take(MEMBERS) {
            writeln!(text, "{name}{{{},member=\"{at}\"}} {}", Labels(group), member.in_flight)?;
        }
    }
    text.push('\n');
    Ok(())
}

/// The labels of a group.
struct Labels<'a>(&'a GroupStatus);

impl Display for Labels<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "group=\"{}\",filter=\"{}\"", Escaped(&self.0.name), Escaped(&self.0.filter))
    }
}

/// Clients choose names: none may end its label or its line.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.0.chars().try_for_each(|character| match character {
            '\\' => out.write_str("\\\\"),
            '"' => out.write_str("\\\""),
            '\n' => out.write_str("\\n"),
            other => out.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{config::Strategy, router::MemberStatus};

    fn group(name: &str, waiting: usize, members: usize) -> GroupStatus {
        let member = |at| MemberStatus { client_id: format!("c{at}"), connected: true, in_flight: at, sent: 0 };
        GroupStatus {
            name: name.to_owned(),
            filter: "a/+".to_owned(),
            strategy: Strategy::Random,
            waiting,
            waiting_bytes: waiting * 10,
            oldest: (waiting > 0).then_some(Duration::from_millis(1500)),
            in_flight: 3,
            redelivered: 0,
            literal: false,
            keys: 0,
            members: (0..members).map(member).collect(),
        }
    }

    fn status(groups: Vec<GroupStatus>) -> Status {
        Status { connections: 0, sessions: 0, retained: 0, retained_bytes: 0, held_bytes: 0, groups }
    }

    #[test]
    fn each_group_and_member_has_its_lines() {
        let text = groups(&status(vec![group("g", 2, 2)]));
        for line in [
            "# TYPE flotilla_broker_group_waiting gauge",
            "flotilla_broker_group_waiting{group=\"g\",filter=\"a/+\"} 2",
            "flotilla_broker_group_waiting_bytes{group=\"g\",filter=\"a/+\"} 20",
            "flotilla_broker_group_oldest_seconds{group=\"g\",filter=\"a/+\"} 1.5",
            "flotilla_broker_group_in_flight{group=\"g\",filter=\"a/+\"} 3",
            "flotilla_broker_group_members{group=\"g\",filter=\"a/+\"} 2",
            "flotilla_broker_member_in_flight{group=\"g\",filter=\"a/+\",member=\"0\"} 0",
            "flotilla_broker_member_in_flight{group=\"g\",filter=\"a/+\",member=\"1\"} 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
        }
        assert_eq!(text.lines().filter(|line| line.contains("member=")).count(), 2);
    }

    #[test]
    fn names_cannot_break_lines_and_their_number_is_bounded() {
        let text = groups(&status(vec![group("a\"\n\\b", 0, 0)]));
        assert!(text.contains("{group=\"a\\\"\\n\\\\b\",filter=\"a/+\"} 3"), "{text}");
        let many = (0..2000).map(|n| group(&format!("g{n}"), n, 100)).collect();
        let text = groups(&status(many));
        assert!(text.contains("group=\"g1999\"") && !text.contains("group=\"g999\""));
        assert_eq!(text.lines().filter(|line| line.starts_with("flotilla_broker_group_")).count(), 5 * GROUPS);
        assert_eq!(text.lines().filter(|line| line.contains("member=")).count(), MEMBERS * GROUPS);
    }
}
