//! A change of a revision: what it does not name stays.

use std::collections::BTreeMap;

use flotilla_flows::{NodeCredentials, NodeSettings};
use serde_json::{Map, Value};

use super::document::Revision;
use crate::error::GroupError;
use crate::sealing::seal;

/// A change of a revision. Of env, settings and credentials, `replace_*` comes first, then `unset_*`, then `set_*`.
#[derive(Clone, Debug, Default)]
pub struct RevisionChange {
    /// The flow document.
    pub flows: Option<Value>,
    /// All environment variables.
    pub replace_env: Option<BTreeMap<String, String>>,
    /// Variables to set.
    pub set_env: BTreeMap<String, String>,
    /// Variables to remove.
    pub unset_env: Vec<String>,
    /// All settings.
    pub replace_settings: Option<Map<String, Value>>,
    /// Settings to set.
    pub set_settings: Map<String, Value>,
    /// Settings to remove.
    pub unset_settings: Vec<String>,
    /// All credentials, in plain.
    pub replace_credentials: Option<NodeCredentials>,
    /// Credentials to set, by `NODE.FIELD`.
    pub set_credentials: BTreeMap<String, String>,
    /// Credentials to remove: `NODE.FIELD` or `NODE`.
    pub unset_credentials: Vec<String>,
    /// Settings of nodes; empty ones are removed.
    pub set_nodes: BTreeMap<String, NodeSettings>,
}

impl RevisionChange {
    /// The revision that a change of `base` makes. `key` is the group's.
    ///
    /// # Errors
    /// [`GroupError::Key`] when credentials change and the key does not fit, [`GroupError::NoKeyName`] for a variable,
    /// setting or credential that is to be removed and is not there.
    pub fn of(self, mut base: Revision, key: Option<&str>) -> Result<Revision, GroupError> {
        base.credentials = self.credentials(&base, key)?;
        base.flows = self.flows.unwrap_or(base.flows);
        if let Some(env) = self.replace_env {
            base.env = env;
        }
        for name in self.unset_env {
            base.env.remove(&name).ok_or(GroupError::NoKeyName { what: "environment variable", name })?;
        }
        base.env.extend(self.set_env);
        if let Some(settings) = self.replace_settings {
            base.settings = settings;
        }
        for name in self.unset_settings {
            base.settings.remove(&name).ok_or(GroupError::NoKeyName { what: "setting", name })?;
        }
        base.settings.extend(self.set_settings);
        base.nodes.extend(self.set_nodes);
        base.nodes.retain(|_, settings| !settings.is_empty());
        Ok(base)
    }

    /// The credentials, encrypted with the group's key.
    fn credentials(&self, base: &Revision, key: Option<&str>) -> Result<Value, GroupError> {
        let changes = self.replace_credentials.is_some()
            || !self.set_credentials.is_empty()
            || !self.unset_credentials.is_empty();
        if !changes {
            return Ok(base.credentials.clone());
        }
        let key = key.ok_or_else(|| GroupError::Key {
            field: "group_key",
            reason: "credentials are kept encrypted with the group's key: start the gateway with FLOTILLA_GROUP_KEY"
                .to_owned(),
        })?;
        let mut all = match &self.replace_credentials {
            Some(all) => all.clone(),
            None => base.credentials_with(Some(key))?,
        };
        for name in &self.unset_credentials {
            let (node, field) =
                name.rsplit_once('.').map_or((name.as_str(), None), |(node, field)| (node, Some(field)));
            let gone = match field {
                Some(field) => all.get_mut(node).and_then(|fields| fields.remove(field)).is_some(),
                None => all.remove(node).is_some(),
            };
            if !gone {
                return Err(GroupError::NoKeyName { what: "credential", name: name.clone() });
            }
        }
        for (name, value) in &self.set_credentials {
            let (node, field) = name.rsplit_once('.').ok_or_else(|| GroupError::Key {
                field: "set_credentials",
                reason: format!("credential \"{name}\" must be NODE.FIELD, for example b1.password"),
            })?;
            all.entry(node.to_owned()).or_default().insert(field.to_owned(), value.as_str().into());
        }
        all.retain(|_, fields| !fields.is_empty());
        Ok(if all.is_empty() { Value::Null } else { seal(&all, key) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Revision {
        let change = RevisionChange {
            flows: Some(json!([{"id": "b1", "type": "mqtt-broker"}])),
            replace_env: Some([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())].into()),
            set_settings: Map::from_iter([("httpNodeRoot".to_owned(), json!("/x"))]),
            set_credentials: [("b1.user".to_owned(), "u".to_owned()), ("b1.password".to_owned(), "p".to_owned())]
                .into(),
            ..RevisionChange::default()
        };
        change.of(Revision::default(), Some("key")).unwrap()
    }

    #[test]
    fn what_a_change_does_not_name_stays() {
        let base = base();
        assert_eq!(RevisionChange::default().of(base.clone(), None).unwrap(), base, "it needs no key");
        let flows = json!([]);
        let next =
            RevisionChange { flows: Some(flows.clone()), ..RevisionChange::default() }.of(base.clone(), None).unwrap();
        assert_eq!(next, Revision { flows, ..base.clone() });
        let change = RevisionChange {
            set_env: [("C".to_owned(), "3".to_owned())].into(),
            unset_env: vec!["A".to_owned()],
            unset_settings: vec!["httpNodeRoot".to_owned()],
            unset_credentials: vec!["b1.user".to_owned()],
            ..RevisionChange::default()
        };
        let next = change.of(base.clone(), Some("key")).unwrap();
        assert_eq!(next.env.into_iter().collect::<Vec<_>>(), [("B".into(), "2".into()), ("C".into(), "3".into())]);
        assert!(next.settings.is_empty());
        let plain =
            Revision { credentials: next.credentials, ..Revision::default() }.credentials_with(Some("key")).unwrap();
        assert_eq!(json!(plain), json!({"b1": {"password": "p"}}));
        let change = RevisionChange { unset_env: vec!["Z".to_owned()], ..RevisionChange::default() };
        assert!(matches!(change.of(base, None), Err(GroupError::NoKeyName { name, .. }) if name == "Z"));
    }
}
