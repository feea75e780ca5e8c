//! What is in the way of a member on a host.

use super::board::{Seat, Someone, View};
use super::document::member_name;

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its agent gives no sign of life.
    Lost,
    /// Users want no replicas there.
    Drained,
    /// Its owner owns no such group, or it is an `up` of another one.
    Owned,
    /// It lacks a label.
    Label {
        /// Which.
        label: String,
    },
    /// It has as many as it takes.
    Full,
    /// It does not say in which rack or zone it is.
    NoDomain,
    /// As many members are in the domain as may be.
    Taken {
        /// The domain.
        domain: usize,
        /// How many may be there.
        most: u32,
    },
    /// The members are in another domain.
    Elsewhere {
        /// Which.
        home: usize,
    },
}

impl Obstacle {
    /// One line for people: what the host has, what the limit is, who is in the way.
    pub(super) fn explain(&self, view: &View<'_>, seat: &Seat<'_>) -> String {
        let (name, word) = view.server_group.map_or(("", "host"), |(name, group)| (name, group.domain.word()));
        let someone = |domain: usize| match view.someone[domain] {
            Some(Someone::Member(group, number)) => member_name(group, number),
            Some(Someone::New(group)) => format!("another replica of \"{group}\""),
            None => "a member".to_owned(),
        };
        match self {
            Obstacle::Lost => match seat.lost_ms {
                Some(ms) => format!("its agent has given no sign of life for {} s", ms / 1000),
                None => "its agent gives no sign of life".to_owned(),
            },
            Obstacle::Drained => "it is drained: `flotilla host undrain` takes that back".to_owned(),
            Obstacle::Owned if !seat.facts.own_group.is_empty() => {
                let (own, group) = (&seat.facts.own_group, view.ask.group);
                format!("it is `flotilla up` of group \"{own}\", which starts no replicas of group \"{group}\"")
            }
            Obstacle::Owned => {
                let (owner, group) = (&seat.facts.owner, view.ask.group);
                format!("it is {owner}'s (--owner of its agent), who does not own group \"{group}\"")
            }
            Obstacle::Label { label } => {
                let asked = view.ask.placement.labels.get(label).map_or("", String::as_str);
                match seat.facts.labels.get(label) {
                    Some(has) => format!("label {label}={asked} is asked for, it has {label}={has}"),
                    None => format!("label {label}={asked} is asked for, it has no {label}"),
                }
            }
            Obstacle::Full => {
                let most = seat.facts.max_replicas.unwrap_or_default();
                format!("it has {} replicas of {most} (--max-replicas of its agent)", seat.load)
            }
            Obstacle::NoDomain => {
                format!(
                    "it does not say in which {word} it is (--{word} of its agent), and server group \"{name}\" counts by {word}"
                )
            }
            Obstacle::Taken { domain, most } => format!(
                "{} is there; server group \"{name}\" (anti-affinity) has {} of at most {most} in {word} \"{}\"",
                someone(*domain),
                view.bound[*domain],
                view.domain_names[*domain]
            ),
            Obstacle::Elsewhere { home } => format!(
                "server group \"{name}\" (affinity) is in {word} \"{}\", where {} is",
                view.domain_names[*home],
                someone(*home)
            ),
        }
    }
}
