use std::collections::HashSet;

use metrics::{counter, gauge};

use crate::router::{GroupStatus, Stats, Status};

/// Share groups shown at most, those with the longest queues first: clients name them, so their
/// number is not ours to bound otherwise.
const GROUPS: usize = 1000;

/// Hands what the router counts to the process's metrics recorder, once a second.
#[derive(Debug, Default)]
pub struct Reporter {
    groups: HashSet<[String; 2]>,
}

impl Reporter {
    /// Sets every metric.
    pub fn report(&mut self, stats: &Stats, status: &Status) {
        gauge!("flotilla_broker_connections").set(status.connections as f64);
        gauge!("flotilla_broker_sessions").set(status.sessions as f64);
        gauge!("flotilla_broker_retained_messages").set(status.retained as f64);
        gauge!("flotilla_broker_retained_bytes").set(status.retained_bytes as f64);
        gauge!("flotilla_broker_held_bytes").set(status.held_bytes as f64);
        counter!("flotilla_broker_connections_accepted_total").absolute(stats.accepted);
        counter!("flotilla_broker_redelivered_total").absolute(stats.redelivered);
        for (qos, name) in ["0", "1", "2"].into_iter().enumerate() {
            for (direction, messages, bytes) in [
                ("in", stats.received[qos], stats.received_bytes[qos]),
                ("out", stats.sent[qos], stats.sent_bytes[qos]),
            ] {
                counter!("flotilla_broker_messages_total", "direction" => direction, "qos" => name).absolute(messages);
                counter!("flotilla_broker_payload_bytes_total", "direction" => direction, "qos" => name)
                    .absolute(bytes);
            }
        }
        for (reason, count) in stats.dropped() {
            counter!("flotilla_broker_dropped_total", "reason" => reason).absolute(count);
        }
        self.groups(status);
    }

    fn groups(&mut self, status: &Status) {
        let mut groups: Vec<&GroupStatus> = status.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.waiting));
        groups.truncate(GROUPS);
        let mut shown = HashSet::with_capacity(groups.len());
        for group in groups {
            let labels = [group.name.clone(), group.filter.clone()];
            let oldest = group.oldest.map_or(0.0, |age| age.as_secs_f64());
            set("flotilla_broker_group_waiting", &labels, group.waiting as f64);
            set("flotilla_broker_group_waiting_bytes", &labels, group.waiting_bytes as f64);
            set("flotilla_broker_group_oldest_seconds", &labels, oldest);
            set("flotilla_broker_group_in_flight", &labels, group.in_flight as f64);
            set("flotilla_broker_group_members", &labels, group.members.len() as f64);
            // By position, not by ClientID: clients without a name get a new one at every connection.
            for (at, member) in group.members.iter().enumerate().take(64) {
                gauge!(
                    "flotilla_broker_member_in_flight",
                    "group" => labels[0].clone(), "filter" => labels[1].clone(), "member" => at.to_string()
                )
                .set(member.in_flight as f64);
            }
            shown.insert(labels);
        }
        for labels in self.groups.difference(&shown) {
            for name in ["waiting", "waiting_bytes", "oldest_seconds", "in_flight", "members"] {
                gauge!(
                    format!("flotilla_broker_group_{name}"),
                    "group" => labels[0].clone(), "filter" => labels[1].clone()
                )
                .set(0.0);
            }
        }
        self.groups = shown;
    }
}

fn set(name: &'static str, labels: &[String; 2], value: f64) {
    gauge!(name, "group" => labels[0].clone(), "filter" => labels[1].clone()).set(value);
}
