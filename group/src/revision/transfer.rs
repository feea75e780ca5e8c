//! A revision goes to another group: its flows and settings, but no value of env or credentials.

use flotilla_flows::NodeCredentials;
use serde_json::Value;

use super::compare::fields;
use super::document::Revision;
use crate::error::GroupError;
use crate::sealing::seal;

impl Revision {
    /// This revision as another group may have it. Env and credentials get the values that `own`, what that group runs,
    /// has for the same keys; what it lacks is missing. `from_key` and `key` are the keys of the two groups, `secrets` the
    /// names of the other group's secrets; the settings named in `own_settings` stay the other group's.
    ///
    /// # Errors
    /// [`GroupError::Key`] when a key is missing or does not fit.
    pub fn transfer(
        &self,
        own: &Revision,
        from_key: Option<&str>,
        key: Option<&str>,
        secrets: &[String],
        own_settings: &[String],
    ) -> Result<Revision, GroupError> {
        let names = fields(self.credentials_with(from_key).map_err(|_| GroupError::Key {
            field: "from_key",
            reason: "the key of the group they come from is missing or another: give from_key".to_owned(),
        })?);
        let needs = names.into_keys().map(|name| format!("credentials {name}"));
        let env = self.env.keys().map(|name| format!("env {name}"));
        let next = Revision {
            flows: self.flows.clone(),
            settings: self.settings_beside(own, own_settings),
            message: self.message.clone(),
            // What a group says of a node stays; what it says nothing of comes as it is.
            nodes: own.nodes.iter().fold(self.nodes.clone(), |mut all, (id, own)| {
                let theirs = all.remove(id).unwrap_or_default();
                all.insert(id.clone(), own.clone().over(&theirs));
                all
            }),
            missing: env.chain(needs).chain(self.missing.iter().cloned()).collect(),
            ..Revision::default()
        };
        next.filled(own, key, secrets)
    }

    fn settings_beside(&self, own: &Revision, names: &[String]) -> serde_json::Map<String, Value> {
        let mut settings = self.settings.clone();
        for name in names {
            match own.settings.get(name) {
                Some(value) => drop(settings.insert(name.clone(), value.clone())),
                None => drop(settings.shift_remove(name)),
            }
        }
        settings
    }

    /// This revision with the values that `own` has for what it misses.
    ///
    /// # Errors
    /// [`GroupError::Key`] when it needs credentials and the key is missing or does not fit.
    pub fn filled(mut self, own: &Revision, key: Option<&str>, secrets: &[String]) -> Result<Revision, GroupError> {
        let wants_credentials = self.missing.iter().any(|name| name.starts_with("credentials "));
        let theirs = if wants_credentials { own.credentials_with(key)? } else { NodeCredentials::new() };
        let mut all = if wants_credentials { self.credentials_with(key)? } else { NodeCredentials::new() };
        let (env, mut missing) = (&mut self.env, std::mem::take(&mut self.missing));
        missing.sort();
        missing.dedup();
        missing.retain(|name| match name.split_once(' ') {
            Some(("env", name)) => {
                if let Some(value) = own.env.get(name) {
                    env.insert(name.to_owned(), value.clone());
                }
                !env.contains_key(name) && !secrets.iter().any(|secret| secret == name)
            }
            Some(("credentials", name)) => {
                let Some((node, field)) = name.rsplit_once('.') else { return false };
                if let Some(value) = theirs.get(node).and_then(|fields| fields.get(field)) {
                    all.entry(node.to_owned()).or_default().insert(field.to_owned(), value.clone());
                }
                !all.get(node).is_some_and(|fields| fields.contains_key(field))
            }
            _ => false,
        });
        self.missing = missing;
        if !all.is_empty() {
            let key = key.ok_or_else(|| GroupError::Key {
                field: "key",
                reason: "the group's own key is missing: give key".to_owned(),
            })?;
            self.credentials = seal(&all, key);
        } else if wants_credentials {
            self.credentials = Value::Null;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision(env: &[(&str, &str)], credentials: &Value, key: &str) -> Revision {
        let plain = serde_json::from_value(credentials.clone()).unwrap();
        Revision {
            flows: json!([]),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            credentials: seal(&plain, key),
            ..Revision::default()
        }
    }

    #[test]
    fn no_value_goes_along_and_what_the_group_lacks_is_missing_until_it_has_it() {
        let staging = revision(
            &[("HOST", "staging"), ("NEW", "1"), ("TOKEN", "t")],
            &json!({"b": {"user": "s", "password": "s"}}),
            "k1",
        );
        let own = revision(&[("HOST", "prod")], &json!({"b": {"user": "p"}}), "k2");
        let secrets = ["TOKEN".to_owned()];
        let copy = staging.transfer(&own, Some("k1"), Some("k2"), &secrets, &[]).unwrap();
        assert_eq!(copy.missing, ["credentials b.password", "env NEW"]);
        assert_eq!(copy.env.iter().collect::<Vec<_>>(), [(&"HOST".to_owned(), &"prod".to_owned())]);
        assert_eq!(json!(copy.credentials_with(Some("k2")).unwrap()), json!({"b": {"user": "p"}}));
        let own = revision(&[("HOST", "prod"), ("NEW", "2")], &json!({"b": {"user": "p", "password": "p"}}), "k2");
        let full = copy.filled(&own, Some("k2"), &[]).unwrap();
        assert_eq!((full.missing.len(), full.env["NEW"].as_str()), (0, "2"));
        assert_eq!(json!(full.credentials_with(Some("k2")).unwrap()), json!({"b": {"user": "p", "password": "p"}}));
        assert!(matches!(
            staging.transfer(&own, Some("x"), Some("k2"), &[], &[]),
            Err(GroupError::Key { field: "from_key", .. })
        ));
    }
}
