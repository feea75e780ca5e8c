//! Users in the store.

use std::sync::Arc;

use flotilla_api::access::{Grant, Role, User};
use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};

use super::password::Hash;
use super::random;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// Users in the store.
#[derive(Clone)]
pub struct Users {
    store: Arc<dyn Store>,
}

/// A user as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The name.
    pub name: String,
    /// Never used again: what belonged to a removed user does not belong to the next one of that name.
    pub id: String,
    /// The roles that were given here.
    pub grants: Vec<Grant>,
    /// The argon2id hash of the password; none: this user shows tokens, or comes from another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Whom another system knows as this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external: Option<External>,
    /// The roles that this system gave at the last sign-in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    provided: Vec<Grant>,
    /// How often the password was changed: what was given out for the old one is void.
    #[serde(default)]
    pub password_changes: u64,
    /// Milliseconds since the epoch, on the store's clock.
    created_ms: u64,
}

/// Who somebody is in another system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The system's URL.
    pub issuer: String,
    /// What it calls them: never another's.
    pub subject: String,
}

impl UserRecord {
    /// The password's hash.
    pub fn hash(&self) -> Option<Hash> {
        self.hash.as_deref().map(Hash::kept)
    }

    /// All roles: those given here, and those that another system says.
    pub fn roles(&self) -> Vec<Grant> {
        sorted([&*self.grants, &*self.provided].concat())
    }

    /// As the API shows it.
    pub fn shown(&self) -> User {
        User {
            name: self.name.clone(),
            roles: self.roles(),
            has_password: self.hash.is_some(),
            created_ms: self.created_ms,
        }
    }
}

/// Names that the audit log has for those who are no users: the gateway's own token, its machine, nobody.
const RESERVED: [&str; 3] = ["admin", "local", "nobody"];

impl Users {
    /// The users of a store.
    pub fn new(store: Arc<dyn Store>) -> Users {
        Users { store }
    }

    /// True when there is one.
    pub async fn any(&self) -> Result<bool, GroupError> {
        Ok(!self.store.list(keys::USERS).await?.is_empty())
    }

    /// True when one of them is an admin.
    pub async fn has_admin(&self) -> Result<bool, GroupError> {
        Ok(self.list().await?.iter().any(|user| user.roles().iter().any(|grant| grant.role == Role::Admin)))
    }

    /// All, by name.
    pub async fn list(&self) -> Result<Vec<UserRecord>, GroupError> {
        self.store.list(keys::USERS).await?.iter().map(|entry| keys::read("a user", entry)).collect()
    }

    /// One.
    ///
    /// # Errors
    /// [`GroupError::NoUser`].
    pub async fn get(&self, name: &str) -> Result<UserRecord, GroupError> {
        self.find(name).await?.ok_or_else(|| GroupError::NoUser(name.to_owned()))
    }

    /// One; `None` when there is none of this name, whatever the name.
    pub async fn find(&self, name: &str) -> Result<Option<UserRecord>, GroupError> {
        if keys::check("user name", name).is_err() {
            return Ok(None);
        }
        let entry = self.store.get(&keys::user(name)).await?;
        entry.map(|entry| keys::read("a user", &entry)).transpose()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`GroupError::UserExists`], [`GroupError::BadName`].
    pub async fn add(&self, name: &str, grants: Vec<Grant>, hash: Option<&Hash>) -> Result<UserRecord, GroupError> {
        self.put(name, grants, hash, None).await
    }

    /// The user whom another system has just named, with the roles that it says; added at the first time.
    ///
    /// # Errors
    /// [`GroupError::UserExists`] when the name is that of somebody else: of a user of our own, or of another one of that
    /// system.
    pub async fn sign_in(&self, name: &str, who: &External, grants: Vec<Grant>) -> Result<UserRecord, GroupError> {
        let Some(known) = self.find(name).await? else {
            let made = self.put(name, Vec::new(), None, Some(who.clone())).await?;
            return self.provide(&made.name, grants).await;
        };
        if known.external.as_ref() != Some(who) {
            return Err(GroupError::UserExists(name.to_owned()));
        }
        if known.provided == sorted(grants.clone()) {
            return Ok(known);
        }
        self.provide(name, grants).await
    }

    /// What was given here stays: whoever made a group owns it.
    async fn provide(&self, name: &str, grants: Vec<Grant>) -> Result<UserRecord, GroupError> {
        self.change(name, |user| user.provided = sorted(grants.clone())).await.map(|(_, user)| user)
    }

    async fn put(
        &self,
        name: &str,
        grants: Vec<Grant>,
        hash: Option<&Hash>,
        external: Option<External>,
    ) -> Result<UserRecord, GroupError> {
        keys::check("user name", name)?;
        if RESERVED.contains(&name) {
            return Err(GroupError::BadName { what: "user name", value: name.to_owned() });
        }
        let user = UserRecord {
            name: name.to_owned(),
            id: random::id(),
            grants: sorted(grants),
            hash: hash.map(|hash| hash.text().to_owned()),
            external,
            provided: Vec::new(),
            password_changes: 0,
            created_ms: now_ms(&*self.store).await?,
        };
        let value = Some(keys::encode(&user));
        match self.store.cas(&keys::user(name), Expect::Absent, value, Write::default()).await?.is_swapped() {
            true => Ok(user),
            false => Err(GroupError::UserExists(name.to_owned())),
        }
    }

    /// Sets the password.
    pub async fn set_password(&self, name: &str, hash: &Hash) -> Result<UserRecord, GroupError> {
        self.change(name, |user| {
            user.hash = Some(hash.text().to_owned());
            user.password_changes += 1;
        })
        .await
        .map(|(_, user)| user)
    }

    /// Sets the roles; answers the user before and after.
    pub async fn set_grants(&self, name: &str, grants: &[Grant]) -> Result<(UserRecord, UserRecord), GroupError> {
        self.change(name, |user| user.grants = sorted(grants.to_vec())).await
    }

    /// Gives one more role.
    pub async fn grant(&self, name: &str, grant: &Grant) -> Result<(), GroupError> {
        let more = |user: &mut UserRecord| {
            user.grants.push(grant.clone());
            user.grants = sorted(std::mem::take(&mut user.grants));
        };
        self.change(name, more).await.map(drop)
    }

    /// Takes away all roles in a group that is no more: the next one of that name is not theirs.
    pub async fn forget_group(&self, group: &str) -> Result<(), GroupError> {
        let of_it = |grant: &Grant| grant.group.as_deref() == Some(group);
        for user in self.list().await? {
            if user.grants.iter().any(of_it) {
                match self.change(&user.name, |user| user.grants.retain(|grant| !of_it(grant))).await {
                    Ok(_) | Err(GroupError::NoUser(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Removes a user. The tokens are void with that.
    ///
    /// # Errors
    /// [`GroupError::NoUser`].
    pub async fn remove(&self, name: &str) -> Result<(), GroupError> {
        self.get(name).await?;
        self.store.delete(&keys::user(name), None).await?;
        Ok(())
    }

    async fn change(
        &self,
        name: &str,
        change: impl Fn(&mut UserRecord),
    ) -> Result<(UserRecord, UserRecord), GroupError> {
        keys::check("user name", name).map_err(|_| GroupError::NoUser(name.to_owned()))?;
        let key = keys::user(name);
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?.ok_or_else(|| GroupError::NoUser(name.to_owned()))?;
            let old: UserRecord = keys::read("a user", &entry)?;
            let mut user = old.clone();
            change(&mut user);
            let value = Some(keys::encode(&user));
            let expected = Expect::Version(entry.version);
            if self.store.cas(&key, expected, value, Write::default()).await?.is_swapped() {
                return Ok((old, user));
            }
        }
        Err(GroupError::Busy { group: format!("user {name}") })
    }
}

fn sorted(mut grants: Vec<Grant>) -> Vec<Grant> {
    grants.sort();
    grants.dedup();
    grants
}
