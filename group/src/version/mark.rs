//! What a thing that users change is made of in the store.

use flotilla_store::Entry;
use serde_json::json;

use crate::deadletter::MOST;
use crate::desired::DesiredState;
use crate::digest::digest;
use crate::error::GroupError;
use crate::keys;
use crate::placement::Placement;

/// The records that a thing is made of. Its version is made of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    parts: Vec<Part>,
}

/// A record, and what of it belongs to the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) key: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// All of it: the store's version, which no other record of this key ever has.
    All,
    /// A server group in the placement document, and the groups that are bound to it.
    ServerGroup(String),
    /// Whether users want no replicas on a host: in the placement document.
    Drained(String),
    /// The revision that a group runs or is to run: its rollout changes all the time.
    Goal,
}

impl Mark {
    fn of(parts: Vec<(String, What)>) -> Mark {
        Mark { parts: parts.into_iter().map(|(key, what)| Part { key, what }).collect() }
    }

    fn named(name: &str, parts: impl FnOnce() -> Vec<(String, What)>) -> Option<Mark> {
        keys::check("name", name).ok().map(|()| Mark::of(parts()))
    }

    /// A user. `None`, here and below: no thing can have this name.
    pub fn user(name: &str) -> Option<Mark> {
        Mark::named(name, || vec![(keys::user(name), What::All)])
    }

    /// What users say of a group.
    pub fn group(name: &str) -> Option<Mark> {
        Mark::named(name, || vec![(keys::spec(name), What::All)])
    }

    /// A server group with the groups in it.
    pub fn server_group(name: &str) -> Option<Mark> {
        Mark::named(name, || vec![(keys::PLACEMENT.to_owned(), What::ServerGroup(name.to_owned()))])
    }

    /// What an agent said of its host, and whether users want replicas there.
    pub fn host(name: &str) -> Option<Mark> {
        Mark::named(name, || {
            vec![(keys::agent(name), What::All), (keys::PLACEMENT.to_owned(), What::Drained(name.to_owned()))]
        })
    }

    /// A group's environment variables: its secrets and its revision.
    pub fn env(group: &str) -> Option<Mark> {
        Mark::named(group, || vec![(keys::secrets(group), What::All), (keys::desired(group), What::Goal)])
    }

    /// A pipeline.
    pub fn pipeline(name: &str) -> Option<Mark> {
        Mark::named(name, || vec![(keys::pipeline(name), What::All)])
    }

    /// A dead letter with its content.
    pub fn dead_letter(group: &str, id: u64) -> Option<Mark> {
        let place = id % MOST;
        Mark::named(group, || {
            vec![(keys::dead_letter(group, place), What::All), (keys::dead_letter_body(group, place), What::All)]
        })
    }

    /// The rule of which deliveries of a group are recorded.
    pub fn trail_rule(group: &str) -> Option<Mark> {
        Mark::named(group, || vec![(keys::trail_rule(group), What::All)])
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The place of the part that a key holds.
    pub(super) fn place(&self, key: &str) -> Option<usize> {
        self.parts.iter().position(|part| part.key == key)
    }
}

impl Part {
    /// The version of this part. 0: it is not there.
    ///
    /// # Errors
    /// [`GroupError::Corrupt`], [`GroupError::NewerRecord`].
    pub(super) fn tag(&self, entry: Option<&Entry>) -> Result<String, GroupError> {
        let Some(entry) = entry else { return Ok("0".to_owned()) };
        let placement = || keys::read::<Placement>("the placement of replicas", entry);
        Ok(match &self.what {
            What::All => entry.version.to_string(),
            What::ServerGroup(name) => {
                let placement = placement()?;
                let Some(group) = placement.server_groups.get(name) else { return Ok("0".to_owned()) };
                let bound = placement.groups.iter().filter(|(_, places)| places.server_group.as_ref() == Some(name));
                let bound: Vec<&String> = bound.map(|(group, _)| group).collect();
                digest(&json!([group, bound]).to_string(), 8)
            }
            What::Drained(host) => u8::from(placement()?.drained.contains(host)).to_string(),
            What::Goal => {
                let state: DesiredState = keys::read("a group's desired state", entry)?;
                digest(state.goal(), 8)
            }
        })
    }
}
