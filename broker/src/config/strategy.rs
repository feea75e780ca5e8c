//! How share groups pick a member, by name.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a share group picks the member for the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The member with the fewest un-acknowledged messages.
    #[default]
    LeastInFlight,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// The same member until it has no room.
    Sticky,
    /// By topic: one topic goes to one member while membership stays, in order.
    TopicHash,
    /// By key: the messages of one key (the topic, unless a subscription says otherwise) go to one member at a time, in
    /// order; another member gets the key only when nothing of it is in flight.
    Keyed,
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(match self {
            Self::LeastInFlight => "least-in-flight",
            Self::RoundRobin => "round-robin",
            Self::Random => "random",
            Self::Sticky => "sticky",
            Self::TopicHash => "topic-hash",
            Self::Keyed => "keyed",
        })
    }
}

/// A name that is not a strategy's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strategy {0:?} is not known: use least-in-flight, round-robin, random, sticky, topic-hash or keyed")]
pub struct UnknownStrategy(String);

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Ok(match name {
            "least-in-flight" => Self::LeastInFlight,
            "round-robin" => Self::RoundRobin,
            "random" => Self::Random,
            "sticky" => Self::Sticky,
            "topic-hash" => Self::TopicHash,
            "keyed" => Self::Keyed,
            _ => return Err(UnknownStrategy(name.to_owned())),
        })
    }
}

/// The strategy of the share groups whose name fits.
///
/// ```
/// use flotilla_broker::{GroupStrategy, Strategy};
///
/// let given: GroupStrategy = "plant*=topic-hash".parse().unwrap();
/// assert_eq!((given.name.as_str(), given.strategy), ("plant*", Strategy::TopicHash));
/// assert!("plant".parse::<GroupStrategy>().is_err());
/// assert!("plant=fastest".parse::<GroupStrategy>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupStrategy {
    /// A share name, or the beginning of one and `*`.
    pub name: String,
    /// How they pick a member.
    pub strategy: Strategy,
}

impl GroupStrategy {
    /// Whether it is for the share group `name`.
    pub fn fits(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == self.name,
        }
    }
}

/// Text that names no group's strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGroupStrategy {
    /// There is no `=`.
    #[error("{0:?} has no strategy: write NAME=STRATEGY, as in plant*=topic-hash")]
    NoStrategy(String),
    /// The name cannot be a share group's.
    #[error("{0:?} is not a share group name: use a name without / + #, or a prefix and *")]
    Name(String),
    /// The strategy is not known.
    #[error(transparent)]
    Strategy(#[from] UnknownStrategy),
}

impl FromStr for GroupStrategy {
    type Err = InvalidGroupStrategy;

    fn from_str(text: &str) -> Result<Self, InvalidGroupStrategy> {
        let (name, strategy) = text.split_once('=').ok_or_else(|| InvalidGroupStrategy::NoStrategy(text.to_owned()))?;
        if name.is_empty() || name.contains(['/', '+', '#']) {
            return Err(InvalidGroupStrategy::Name(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), strategy: strategy.parse()? })
    }
}
