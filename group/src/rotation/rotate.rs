//! The steps: a new key, everything sealed with it, the old key out of use.

use std::sync::Arc;

use flotilla_api::key::{KeyHolder, KeyState, Pending};
use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Expect, Store, Write};

use super::anew::seal_anew;
use crate::accounts::Joins;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::keys;
use crate::member::{Gateways, Registry};
use crate::sealing::{Handover, KeyRing, fingerprint, newest};
use crate::spec::Specs;

/// Shorter keys can be guessed.
const SHORTEST: usize = 16;

/// Replaces the key that a process has, for everything in the store that it seals.
///
/// First the new key is put into the store, sealed with the old one: whoever has the old one finds it before the next use, and
/// reads both. Then everything is sealed anew. When every process would be started with the new key, [`Rotation::finish`]
/// takes the old one out of use: it opens nothing any more, not even the new key.
pub struct Rotation {
    store: Arc<dyn Store>,
    ring: KeyRing,
}

/// What a new key began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The fingerprint of the old key.
    pub from: String,
    /// That of the new one.
    pub to: String,
    /// How many records were sealed anew.
    pub written: u64,
}

impl Rotation {
    /// Of the keys that a process has.
    pub fn new(store: Arc<dyn Store>, ring: KeyRing) -> Rotation {
        Rotation { store, ring }
    }

    /// Begins: `given`, or a random one, is the group's key from now on.
    ///
    /// # Errors
    /// [`GroupError::Key`] when there is no key, the last rotation is not finished, or the new key cannot be used.
    pub async fn begin(&self, given: Option<&str>) -> Result<Begun, GroupError> {
        let known = self.known().await?;
        let old = newest(&known);
        if let Some(Pending { from, to }) = self.own(&known).await?.first() {
            return Err(refused(format!(
                "the key {from} is already being replaced by {to}: run `flotilla key finish` first; `flotilla key show` lists who \
                 still needs the old key"
            )));
        }
        let new = given
            .map_or_else(|| format!("{:064x}{:064x}", rand::random::<u128>(), rand::random::<u128>()), str::to_owned);
        if new.chars().count() < SHORTEST || new.chars().any(char::is_whitespace) {
            return Err(refused(format!(
                "a new key has {SHORTEST} characters or more and no blanks; `openssl rand -hex 32` makes one"
            )));
        }
        let (from, to) = (fingerprint(old), fingerprint(&new));
        if from == to || self.store.get(&keys::key_next(&to)).await?.is_some() {
            return Err(refused(format!("the key {to} was in use before: take another one")));
        }
        let value = keys::encode(&Handover::new(old, &new, now_ms(&*self.store).await?)?);
        let swapped = self.store.cas(&keys::key_next(&from), Expect::Absent, Some(value), Write::default()).await?;
        if !swapped.is_swapped() {
            return Err(refused(format!("another process is replacing the key {from}: see `flotilla key show`")));
        }
        let written = seal_anew(&self.store, &self.known().await?).await?;
        Ok(Begun { from, to, written })
    }

    /// Takes the old key out of use. Answers how many records were written with it meanwhile, and are sealed anew.
    ///
    /// # Errors
    /// [`GroupError::Key`] when there is none, or processes would be started with it.
    pub async fn finish(&self) -> Result<u64, GroupError> {
        let known = self.known().await?;
        let pending = self.own(&known).await?;
        if pending.is_empty() {
            return Err(refused("no key is being replaced".to_owned()));
        }
        let state = self.state().await?;
        let late: Vec<_> =
            state.holders.iter().filter(|holder| pending.iter().any(|old| old.from == holder.key)).collect();
        if !late.is_empty() {
            let names: Vec<String> = late.iter().map(|holder| format!("{} {}", holder.kind, holder.id)).collect();
            return Err(refused(format!(
                "{} would be started with the old key: restart each with the new one (FLOTILLA_GROUP_KEY)",
                names.join(", ")
            )));
        }
        let written = seal_anew(&self.store, &known).await?;
        Joins::new(self.store.clone())
            .revoke_with_key(&pending.iter().map(|old| old.from.as_str()).collect::<Vec<_>>())
            .await?;
        let time_ms = now_ms(&*self.store).await?;
        for Pending { from, to } in pending {
            let over = keys::encode(&Handover { to, sealed: None, back: None, time_ms });
            self.store.set(&keys::key_next(&from), over, Write::default()).await?;
        }
        Ok(written)
    }

    /// Which key is in use, and who has it.
    pub async fn state(&self) -> Result<KeyState, GroupError> {
        let known = self.ring.keys().await?;
        let mut holders = Vec::new();
        for group in
            Specs::new(self.store.clone()).list().await?.into_iter().map(|spec| spec.name).chain([String::new()])
        {
            let replicas = match &*group {
                "" => Registry::spare(&self.store).await?,
                name => Registry::new(self.store.clone(), name)?.list().await?,
            };
            let replica = |record: ReplicaRecord| KeyHolder {
                group: group.clone(),
                kind: "replica".to_owned(),
                id: record.id,
                key: record.key,
            };
            holders.extend(replicas.into_iter().map(replica));
            if group.is_empty() {
                continue;
            }
            for (id, key) in Gateways::new(self.store.clone(), &group)?.keys().await? {
                holders.push(KeyHolder { group: group.clone(), kind: "gateway".to_owned(), id, key });
            }
        }
        for host in Hosts::new(self.store.clone()).list().await? {
            let key = host.load.map(|load| load.key).unwrap_or_default();
            holders.push(KeyHolder { group: String::new(), kind: "agent".to_owned(), id: host.facts.name, key });
        }
        holders.retain(|holder| !holder.key.is_empty());
        let current = known.as_deref().map(|known| fingerprint(newest(known)));
        Ok(KeyState { current, pending: self.pending().await?, holders })
    }

    /// Those that are replaced by the newest of these keys: groups with keys of their own rotate on their own.
    async fn own(&self, known: &str) -> Result<Vec<Pending>, GroupError> {
        let newest = fingerprint(newest(known));
        let pending = self.pending().await?;
        Ok(pending.into_iter().filter(|pending| pending.to == newest).collect())
    }

    async fn pending(&self) -> Result<Vec<Pending>, GroupError> {
        let mut pending = Vec::new();
        for entry in self.store.list(keys::KEY_NEXT).await? {
            let handover: Handover = keys::read("the group's new key", &entry)?;
            if handover.sealed.is_some() {
                pending.push(Pending { from: entry.key[keys::KEY_NEXT.len()..].to_owned(), to: handover.to });
            }
        }
        Ok(pending)
    }

    async fn known(&self) -> Result<Arc<str>, GroupError> {
        self.ring
            .keys()
            .await?
            .ok_or_else(|| refused("this gateway has no key of the group: start it with FLOTILLA_GROUP_KEY".to_owned()))
    }
}

fn refused(reason: String) -> GroupError {
    GroupError::Key { field: "key", reason }
}

#[cfg(test)]
mod tests {
    use flotilla_flows::NodeCredentials;
    use serde_json::{Map, json};

    use flotilla_api::placement::{HostFacts, HostLoad};

    use super::*;
    use crate::host::HostRegistration;
    use crate::pipeline::StageTokens;
    use crate::sealing::{Restart, open, seal};
    use crate::test_store;

    /// A rotation that ended between the new key and the sealing: the process is started with the new key alone.
    #[tokio::test]
    async fn a_rotation_that_was_cut_off_is_finished_by_who_has_the_new_key_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        Specs::new(store.clone()).add_if_none(&flotilla_api::group::GroupSpec::named("g")).await.unwrap();
        let plain = NodeCredentials::from([("n".to_owned(), Map::from_iter([("password".to_owned(), json!("p"))]))]);
        let (old, new) = ("the old key of the group", "the new key of the group");
        let record = json!({"format": 1, "env": seal(&plain, old)});
        store.set(&keys::secrets("g"), record.to_string().into(), Write::default()).await.unwrap();
        let tokens = StageTokens::new(store.clone(), "p").unwrap();
        tokens.set("prod", "https://b:1", "flo_hush", Some(old)).await.unwrap();
        let handover = keys::encode(&Handover::new(old, new, 1).unwrap());
        store.set(&keys::key_next(&fingerprint(old)), handover, Write::default()).await.unwrap();

        let other = KeyRing::new(store.clone(), Some("a key of another group"), Restart::Given);
        let refused = Rotation::new(store.clone(), other).finish().await.unwrap_err().to_string();
        assert!(refused.contains("no key is being replaced"), "{refused}");

        let ring = KeyRing::new(store.clone(), Some(new), Restart::Given);
        assert_eq!(ring.keys().await.unwrap().as_deref(), Some(&*format!("{new}\n{old}")));
        assert_eq!(Rotation::new(store.clone(), ring).finish().await.unwrap(), 2);
        let entry = store.get(&keys::secrets("g")).await.unwrap().unwrap();
        let record: serde_json::Value = serde_json::from_slice(&entry.value).unwrap();
        assert_eq!(open(&record["env"], Some(new)).unwrap(), plain);
        assert_eq!(tokens.get("prod", "https://b:1", Some(new)).await.unwrap().as_deref(), Some("flo_hush"));
        let again = KeyRing::new(store.clone(), Some(new), Restart::Given);
        assert_eq!(again.keys().await.unwrap().as_deref(), Some(new), "the old one is out of use");
        assert!(KeyRing::new(store, Some(old), Restart::Given).keys().await.is_err());
    }

    #[tokio::test]
    async fn an_agent_that_would_be_started_with_the_old_key_is_waited_for() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let (old, new) = ("the-old-key-of-the-group", "the-new-key-of-the-group");
        let rotation = || {
            let ring = KeyRing::new(store.clone(), Some(old), Restart::Given);
            Rotation::new(store.clone(), ring)
        };
        let load = |key: &str| HostLoad { key: fingerprint(key), ..HostLoad::default() };
        let facts = HostFacts { name: "h".to_owned(), ..HostFacts::default() };
        let ttl = std::time::Duration::from_secs(30);
        let mut host = HostRegistration::join(store.clone(), facts, "a", ttl, load(old)).await.unwrap();
        rotation().begin(Some(new)).await.unwrap();
        let late = rotation().finish().await.unwrap_err().to_string();
        assert!(late.contains("agent h would be started with the old key"), "{late}");
        host.beat(load(new)).await;
        rotation().finish().await.unwrap();
    }
}
