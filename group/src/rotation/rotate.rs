//! The steps: a new key, everything sealed with it, the old key out of use.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use flotilla_api::key::{KeyHolder, KeyState, Pending};
use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Expect, Store, Write};

use super::anew::seal_anew;
use crate::accounts::Joins;
use crate::error::GroupError;
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
        if let Some(pending) = self.pending().await?.first() {
            let (from, to) = (&pending.from, &pending.to);
            return Err(refused(format!(
                "the key {from} is being replaced by {to}: see `flotilla key show`, finish that first"
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
        let value = keys::encode(&Handover::new(old, &new, self.now_ms().await?)?);
        let swapped = self.store.cas(&keys::key_next(&from), Expect::Absent, Some(value), Write::default()).await?;
        if !swapped.is_swapped() {
            return Err(refused(format!("the key {from} is being replaced by somebody else: see `flotilla key show`")));
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
        let pending = self.pending().await?;
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
        let time_ms = self.now_ms().await?;
        for Pending { from, to } in pending {
            let over = keys::encode(&Handover { to, sealed: None, time_ms });
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
        holders.retain(|holder| !holder.key.is_empty());
        let current = known.as_deref().map(|known| fingerprint(newest(known)));
        Ok(KeyState { current, pending: self.pending().await?, holders })
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

    async fn now_ms(&self) -> Result<u64, GroupError> {
        Ok(self.store.now().await?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64))
    }
}

fn refused(reason: String) -> GroupError {
    GroupError::Key { field: "key", reason }
}
