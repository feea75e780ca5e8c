//! Join tokens: with one a replica joins a group, and gets the group's key.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::access::{JoinToken, MadeJoinToken};
use flotilla_flows::{NodeCredentials, encrypt_credentials, read_credentials};
use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::random;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;
use crate::sealing::fingerprint;

/// What a join token's text begins with.
const MARK: &str = "flojoin_";
/// Under which name the key is sealed.
const FIELD: &str = "key";

/// The join tokens of a store.
#[derive(Clone)]
pub struct Joins {
    store: Arc<dyn Store>,
}

/// A join token as the store keeps it: it goes away by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    token: JoinToken,
    /// The group's key, sealed with the token's secret: the store alone opens nothing.
    sealed: Value,
    /// The fingerprint of that key; empty in tokens of versions before.
    #[serde(default)]
    key: String,
}

/// Whose a replica is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Host {
    owner: String,
}

/// What a replica gets for its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The group.
    pub group: String,
    /// The group's key.
    pub key: String,
    /// Whose the replica is.
    pub owner: String,
}

impl Joins {
    /// The join tokens of a store.
    pub fn new(store: Arc<dyn Store>) -> Joins {
        Joins { store }
    }

    /// Makes a join token; its text is in the answer and nowhere else.
    pub async fn make(&self, group: &str, owner: &str, key: &str, expires_s: u64) -> Result<MadeJoinToken, GroupError> {
        let (id, secret) = (random::id(), random::secret());
        let now = now_ms(&*self.store).await?;
        let token = JoinToken {
            id: id.clone(),
            group: group.to_owned(),
            owner: owner.to_owned(),
            expires_ms: now.saturating_add(expires_s.saturating_mul(1_000)),
        };
        let fields = Map::from_iter([(FIELD.to_owned(), key.into())]);
        let sealed = encrypt_credentials(&NodeCredentials::from([(id.clone(), fields)]), &secret);
        let value = keys::encode(&Record { token: token.clone(), sealed, key: fingerprint(key) });
        let write = Write::expiring(Duration::from_secs(expires_s));
        self.store.set(&keys::join(&id), value, write).await?;
        Ok(MadeJoinToken { token, secret: format!("{MARK}{id}_{secret}") })
    }

    /// The join tokens of a group.
    pub async fn list(&self, group: &str) -> Result<Vec<JoinToken>, GroupError> {
        let mut tokens = Vec::new();
        for entry in self.store.list(keys::JOINS).await? {
            let Record { token, .. } = keys::read("a join token", &entry)?;
            if token.group == group {
                tokens.push(token);
            }
        }
        Ok(tokens)
    }

    /// Makes a join token of a group void. False when there is none.
    pub async fn revoke(&self, group: &str, id: &str) -> Result<bool, GroupError> {
        let known = self.list(group).await?.iter().any(|token| token.id == id);
        Ok(known && self.store.delete(&keys::join(id), None).await?)
    }

    /// Makes the join tokens void that wrap one of these keys, named by fingerprints: such keys are out of use.
    pub async fn revoke_with_key(&self, fingerprints: &[&str]) -> Result<(), GroupError> {
        for entry in self.store.list(keys::JOINS).await? {
            let Record { key, .. } = keys::read("a join token", &entry)?;
            if key.is_empty() || fingerprints.contains(&&*key) {
                self.store.delete(&entry.key, None).await?;
            }
        }
        Ok(())
    }

    /// Revokes all join tokens of a deleted group: a later group of the same name has another key.
    pub async fn forget_group(&self, group: &str) -> Result<(), GroupError> {
        for token in self.list(group).await? {
            self.store.delete(&keys::join(&token.id), None).await?;
        }
        Ok(())
    }

    /// Revokes a deleted user's join tokens and clears the owner of their replicas: a later user of the same name is another.
    pub async fn forget_owner(&self, owner: &str) -> Result<(), GroupError> {
        for entry in self.store.list(keys::JOINS).await? {
            if keys::read::<Record>("a join token", &entry)?.token.owner == owner {
                self.store.delete(&entry.key, None).await?;
            }
        }
        for entry in self.store.list(keys::OWNED).await? {
            if keys::read::<Host>("the owner of a replica", &entry)?.owner == owner {
                self.store.delete(&entry.key, None).await?;
            }
        }
        Ok(())
    }

    /// What a replica gets for its token.
    ///
    /// # Errors
    /// [`GroupError::Key`] when the token is not known, expired or cut short.
    pub async fn open(&self, text: &str) -> Result<Joined, GroupError> {
        let bad = || GroupError::Key {
            field: "join",
            reason: "this join token is not known here: it expired, was revoked, or is not whole; make another with \
                     `flotilla group join-token`"
                .to_owned(),
        };
        let (id, secret) = text.trim().strip_prefix(MARK).and_then(|rest| rest.split_once('_')).ok_or_else(bad)?;
        keys::check("join token", id).map_err(|_| bad())?;
        let entry = self.store.get(&keys::join(id)).await?.ok_or_else(bad)?;
        let Record { token, sealed, .. } = keys::read("a join token", &entry)?;
        let plain = read_credentials(&sealed, Some(secret)).map_err(|_| bad())?;
        let key = plain.get(id).and_then(|fields| fields.get(FIELD)?.as_str()).ok_or_else(bad)?;
        Ok(Joined { group: token.group, key: key.to_owned(), owner: token.owner })
    }

    /// Says whose a replica is: whoever says so first.
    pub async fn own(&self, replica: &str, owner: &str) -> Result<(), GroupError> {
        keys::check("replica id", replica)?;
        let value = Some(keys::encode(&Host { owner: owner.to_owned() }));
        self.store.cas(&keys::host(replica), Expect::Absent, value, Write::default()).await?;
        Ok(())
    }

    /// Whose a replica is; `None`: nobody's but the admin's.
    pub async fn owner(&self, replica: &str) -> Result<Option<String>, GroupError> {
        keys::check("replica id", replica)?;
        let entry = self.store.get(&keys::host(replica)).await?;
        entry.map(|entry| Ok(keys::read::<Host>("the owner of a replica", &entry)?.owner)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn a_join_token_opens_the_groups_key_and_the_store_does_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let joins = Joins::new(store.clone());
        let made = joins.make("g", "ann", "the group's key", 60).await.unwrap();
        for entry in store.list("").await.unwrap() {
            let text = String::from_utf8_lossy(&entry.value).into_owned();
            assert!(!text.contains("the group's key") && !text.contains(&made.secret), "{text}");
        }
        let joined = joins.open(&made.secret).await.unwrap();
        assert_eq!((&*joined.group, &*joined.key, &*joined.owner), ("g", "the group's key", "ann"));
        let mut wrong = made.secret.clone();
        wrong.pop();
        for bad in ["", "flojoin_", "flojoin_0123456789abcdef_x", &wrong] {
            assert!(matches!(joins.open(bad).await, Err(GroupError::Key { .. })), "{bad}");
        }
        assert!(!joins.revoke("other", &made.token.id).await.unwrap(), "it is not of that group");
        assert!(joins.revoke("g", &made.token.id).await.unwrap());
        assert!(joins.open(&made.secret).await.is_err());
        joins.own("r-1", "ann").await.unwrap();
        joins.own("r-1", "bob").await.unwrap();
        assert_eq!(joins.owner("r-1").await.unwrap().as_deref(), Some("ann"), "who came first");
        let of_ann = joins.make("g", "ann", "the group's key", 60).await.unwrap();
        let of_bob = joins.make("g", "bob", "the group's key", 60).await.unwrap();
        joins.forget_owner("ann").await.unwrap();
        assert!(joins.open(&of_ann.secret).await.is_err() && joins.open(&of_bob.secret).await.is_ok());
        assert_eq!(joins.owner("r-1").await.unwrap(), None, "another ann is somebody else");
        joins.forget_group("g").await.unwrap();
        assert!(joins.open(&of_bob.secret).await.is_err(), "another g has another key");
    }
}
