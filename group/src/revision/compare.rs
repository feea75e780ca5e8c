//! What differs between two revisions: names of keys, never values.

use std::collections::BTreeMap;

use flotilla_api::revision::{KeyChange, RevisionDiff};
use flotilla_flows::{NodeCredentials, diff};

use super::document::Revision;
use crate::error::GroupError;

impl Revision {
    /// What differs in `new`. `key` is the group's; without it two revisions whose credentials differ cannot be compared.
    ///
    /// # Errors
    /// [`GroupError::Key`].
    pub fn diff(&self, new: &Revision, key: Option<&str>) -> Result<RevisionDiff, GroupError> {
        let credentials = if self.credentials == new.credentials {
            BTreeMap::new()
        } else {
            changes(&fields(self.credentials_with(key)?), &fields(new.credentials_with(key)?))
        };
        Ok(RevisionDiff {
            nodes: diff(&self.flows, &new.flows),
            env: changes(&self.env, &new.env),
            settings: changes(
                &self.settings.clone().into_iter().collect(),
                &new.settings.clone().into_iter().collect(),
            ),
            credentials,
            node_settings: changes(&self.nodes, &new.nodes),
        })
    }
}

/// Credentials by `NODE.FIELD`.
pub(super) fn fields(credentials: NodeCredentials) -> BTreeMap<String, serde_json::Value> {
    let of_node = |(node, fields): (String, serde_json::Map<String, serde_json::Value>)| {
        fields.into_iter().map(move |(field, value)| (format!("{node}.{field}"), value))
    };
    credentials.into_iter().flat_map(of_node).collect()
}

fn changes<T: PartialEq>(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> BTreeMap<String, KeyChange> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let change = |name: &String| match (old.get(name), new.get(name)) {
        (None, Some(_)) => Some(KeyChange::Added),
        (Some(_), None) => Some(KeyChange::Removed),
        (before, after) => (before != after).then_some(KeyChange::Changed),
    };
    names.filter_map(|name| Some((name.clone(), change(name)?))).collect()
}
