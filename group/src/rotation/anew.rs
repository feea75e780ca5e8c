//! Everything in a store that the group's key seals, sealed anew.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_store::{Entry, Expect, Store, Write};
use serde_json::{Map, Value};

use crate::binary::Binaries;
use crate::error::GroupError;
use crate::keys;
use crate::revision::Revision;
use crate::sealing::{newest, open, seal};
use crate::spec::Specs;

/// Attempts at an entry that others write meanwhile.
const ATTEMPTS: usize = 50;

/// Seals anew with the newest key what another one of `known` opens; what none of them opens belongs to groups with keys of
/// their own. Answers how many entries it wrote.
pub(super) async fn seal_anew(store: &Arc<dyn Store>, known: &str) -> Result<u64, GroupError> {
    let mut written = Binaries::new(store.clone()).sign_anew(known).await?;
    for entry in store.list(keys::REVISIONS).await? {
        written += u64::from(change(store, entry, |entry| revision(entry, known)).await?);
    }
    for group in Specs::new(store.clone()).list().await? {
        let mut entries = store.list(&keys::dead_letters(&group.name)).await?;
        entries.extend(store.list(&keys::dead_letter_bodies(&group.name)).await?);
        entries.extend(store.get(&keys::secrets(&group.name)).await?);
        for entry in entries {
            written += u64::from(change(store, entry, |entry| parts(entry, known)).await?);
        }
    }
    for entry in store.list(keys::PIPELINE_TOKENS).await? {
        written += u64::from(change(store, entry, |entry| parts(entry, known)).await?);
    }
    Ok(written)
}

/// Writes an entry by compare-and-swap, if there is something to write. What is gone meanwhile is nobody's any more.
async fn change(
    store: &Arc<dyn Store>,
    mut entry: Entry,
    anew: impl Fn(&Entry) -> Result<Option<Bytes>, GroupError>,
) -> Result<bool, GroupError> {
    for _ in 0..ATTEMPTS {
        let Some(value) = anew(&entry)? else { return Ok(false) };
        let expected = Expect::Version(entry.version);
        if store.cas(&entry.key, expected, Some(value), Write::default()).await?.is_swapped() {
            return Ok(true);
        }
        let Some(now) = store.get(&entry.key).await? else { return Ok(false) };
        entry = now;
    }
    Err(GroupError::Busy { group: entry.key })
}

/// A revision keeps its id.
fn revision(entry: &Entry, known: &str) -> Result<Option<Bytes>, GroupError> {
    let mut revision: Revision = keys::read("a revision", entry)?;
    let Some(credentials) = sealed_anew(&revision.credentials, known) else { return Ok(None) };
    revision.seal_anew(credentials);
    Ok(Some(keys::encode(&revision)))
}

/// All sealed parts of a record.
fn parts(entry: &Entry, known: &str) -> Result<Option<Bytes>, GroupError> {
    let mut record = Value::Object(keys::read::<Map<String, Value>>("what the group's key seals", entry)?);
    Ok(walk(&mut record, known).then(|| keys::encode(&record)))
}

fn walk(value: &mut Value, known: &str) -> bool {
    if let Some(anew) = sealed_anew(value, known) {
        *value = anew;
        return true;
    }
    match value {
        // Each of them, so no `any`.
        Value::Object(fields) => fields.values_mut().fold(false, |found, value| walk(value, known) | found),
        Value::Array(values) => values.iter_mut().fold(false, |found, value| walk(value, known) | found),
        _ => false,
    }
}

/// The same, sealed with the newest key, if an older one opens it.
fn sealed_anew(value: &Value, known: &str) -> Option<Value> {
    value.get("$")?.as_str()?;
    if open(value, Some(newest(known))).is_ok() {
        return None;
    }
    Some(seal(&open(value, Some(known)).ok()?, known))
}
