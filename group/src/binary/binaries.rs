//! Sending a binary through the store, and getting it.

use std::io::Read;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use flotilla_api::placement::{Binary, LARGEST_BINARY, NewBinary};
use flotilla_store::{Expect, Store, Write};
use sha2::{Digest, Sha256};

use super::record::{Record, hex};
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// The largest chunk as it is kept, in bytes: what does not shrink grows by a few bytes.
const LARGEST_CHUNK: usize = 640 * 1024;
/// A binary that was not sent whole after so long is thrown away.
const UNFINISHED_MS: u64 = 3_600_000;

/// The binaries in a store. Agents run one only when its content has the hash that its record says, and the record is signed
/// with the group's key, which the gateway does for an administrator.
#[derive(Clone)]
pub struct Binaries {
    store: Arc<dyn Store>,
}

impl Binaries {
    /// The binaries of a store.
    pub fn new(store: Arc<dyn Store>) -> Binaries {
        Binaries { store }
    }

    /// Announces one; its chunks follow. What is there already stays.
    ///
    /// # Errors
    /// [`GroupError::Invalid`] for a hash or size that is none.
    pub async fn announce(&self, binary: &NewBinary, actor: &str) -> Result<Binary, GroupError> {
        check(&binary.sha256)?;
        if binary.size == 0 || binary.size > LARGEST_BINARY {
            let reason = format!("size {} is not that of a binary: 1 to {LARGEST_BINARY} bytes", binary.size);
            return Err(GroupError::Invalid { field: "size", reason });
        }
        let time_ms = now_ms(&*self.store).await?;
        let (sha256, actor) = (binary.sha256.clone(), actor.to_owned());
        let new = Record { sha256, size: binary.size, signature: None, actor, time_ms };
        if let Some(known) = self.record(&new.sha256).await?.filter(|known| known.signature.is_some()) {
            return Ok(known.shown());
        }
        self.store.set(&keys::binary(&new.sha256), keys::encode(&new), Write::default()).await?;
        Ok(new.shown())
    }

    /// Keeps a chunk, deflated.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`] for a binary that was not announced, [`GroupError::Invalid`] for a chunk that is none of it.
    pub async fn put(&self, sha256: &str, index: u32, deflated: &[u8]) -> Result<(), GroupError> {
        let record = self.get(sha256).await?;
        let invalid = |reason: String| Err(GroupError::Invalid { field: "data", reason });
        if index >= record.chunks() {
            return invalid(format!("chunk {index}: the binary has {}, from 0 on", record.chunks()));
        }
        if record.signature.is_some() {
            return Ok(());
        }
        let size = record.chunk_size(index);
        match inflate(deflated, size) {
            Some(bytes) if bytes.len() == size => {}
            _ => return invalid(format!("chunk {index} is to be {size} deflated bytes of the binary")),
        }
        self.store.set(&keys::binary_chunk(sha256, index), deflated.to_vec().into(), Write::default()).await?;
        Ok(())
    }

    /// Signs a binary whose chunks are all there. `keep`: binaries that are in use; all others are thrown away.
    ///
    /// # Errors
    /// [`GroupError::Conflict`] when chunks are missing or do not fit the hash.
    pub async fn finish(&self, sha256: &str, group_keys: &str, keep: &[&str]) -> Result<Binary, GroupError> {
        let mut record = self.get(sha256).await?;
        self.read(&record, &mut std::io::sink()).await?;
        record.sign(group_keys);
        self.store.set(&keys::binary(sha256), keys::encode(&record), Write::default()).await?;
        self.prune(&record, keep).await?;
        Ok(record.shown())
    }

    /// A binary that is whole and signed.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`], [`GroupError::Conflict`].
    pub async fn complete(&self, sha256: &str) -> Result<Binary, GroupError> {
        let record = self.get(sha256).await?;
        if record.signature.is_none() {
            let reason = format!("binary {sha256} was not sent whole: send its chunks, and finish it");
            return Err(GroupError::Conflict { code: "binary_unfinished", reason });
        }
        Ok(record.shown())
    }

    /// Writes a binary to a file: its signature and its hash fit, or the answer is an error.
    pub async fn fetch(
        &self,
        sha256: &str,
        group_keys: &str,
        file: &mut (dyn std::io::Write + Send),
    ) -> Result<(), GroupError> {
        let record = self.get(sha256).await?;
        if !record.is_signed(group_keys) {
            let reason = format!("binary {sha256} is not signed with the group's key that this process has");
            return Err(GroupError::Conflict { code: "binary_unsigned", reason });
        }
        self.read(&record, file).await
    }

    /// Signs anew, with the newest key, what an older one of `known` signed. Answers how many.
    pub(crate) async fn sign_anew(&self, known: &str) -> Result<u64, GroupError> {
        let mut written = 0;
        for entry in self.store.list(keys::BINARIES).await? {
            let mut record: Record = keys::read("a binary", &entry)?;
            if !record.is_signed_with(crate::sealing::newest(known)) && record.is_signed(known) {
                record.sign(known);
                let value = Some(keys::encode(&record));
                let write = Write::default();
                let swapped = self.store.cas(&entry.key, Expect::Version(entry.version), value, write).await?;
                written += u64::from(swapped.is_swapped());
            }
        }
        Ok(written)
    }

    /// Reads all chunks, and compares size and hash.
    async fn read(&self, record: &Record, into: &mut (dyn std::io::Write + Send)) -> Result<(), GroupError> {
        let sha256 = &record.sha256;
        let conflict = |reason: String| GroupError::Conflict { code: "binary_damaged", reason };
        let mut hash = Sha256::new();
        for index in 0..record.chunks() {
            let entry = self.store.get(&keys::binary_chunk(sha256, index)).await?;
            let missing = || conflict(format!("chunk {index} of binary {sha256} is not in the store"));
            let bytes = inflate(&entry.ok_or_else(missing)?.value, record.chunk_size(index))
                .ok_or_else(|| conflict(format!("chunk {index} of binary {sha256} is damaged")))?;
            hash.update(&bytes);
            let written = into.write_all(&bytes);
            written.map_err(|error| conflict(format!("binary {sha256} cannot be written: {error}")))?;
        }
        let found = hex(&hash.finalize());
        if found != *sha256 {
            return Err(conflict(format!("the chunks of binary {sha256} have another hash: {found}")));
        }
        Ok(())
    }

    /// Throws away binaries that are neither in use nor on their way.
    async fn prune(&self, new: &Record, keep: &[&str]) -> Result<(), GroupError> {
        let now_ms = now_ms(&*self.store).await?;
        for entry in self.store.list(keys::BINARIES).await? {
            let record: Record = keys::read("a binary", &entry)?;
            let comes = record.signature.is_none() && now_ms < record.time_ms + UNFINISHED_MS;
            if record.sha256 == new.sha256 || comes || keep.contains(&&*record.sha256) {
                continue;
            }
            for chunk in 0..record.chunks() {
                self.store.delete(&keys::binary_chunk(&record.sha256, chunk), None).await?;
            }
            self.store.delete(&entry.key, None).await?;
        }
        Ok(())
    }

    async fn record(&self, sha256: &str) -> Result<Option<Record>, GroupError> {
        let entry = self.store.get(&keys::binary(sha256)).await?;
        entry.map(|entry| keys::read("a binary", &entry)).transpose()
    }

    async fn get(&self, sha256: &str) -> Result<Record, GroupError> {
        check(sha256)?;
        let see = "flotilla upgrade --binary FILE";
        self.record(sha256).await?.ok_or_else(|| GroupError::NoSuch {
            code: "no_such_binary",
            what: "the store has no binary".to_owned(),
            name: sha256.to_owned(),
            see,
        })
    }
}

fn check(sha256: &str) -> Result<(), GroupError> {
    if sha256.len() == 64 && sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return Ok(());
    }
    let reason = format!("sha256 \"{sha256}\" is none: 64 digits of 0-9 a-f");
    Err(GroupError::Invalid { field: "sha256", reason })
}

/// The bytes of a chunk; `None` when it is damaged or has more.
fn inflate(deflated: &[u8], size: usize) -> Option<Vec<u8>> {
    if deflated.len() > LARGEST_CHUNK {
        return None;
    }
    let mut bytes = Vec::with_capacity(size);
    DeflateDecoder::new(deflated).take(size as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() == size).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use flotilla_api::placement::CHUNK;

    use super::*;
    use crate::test_store;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn what_comes_out_is_what_went_in_or_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let binaries = Binaries::new(store.clone());
        let bytes: Vec<u8> = (0..CHUNK * 2 + 77).map(|at| (at % 251) as u8).collect();
        let sha256 = hex(&Sha256::digest(&bytes));
        let new = NewBinary { sha256: sha256.clone(), size: bytes.len() as u64 };
        assert!(binaries.put(&sha256, 0, &deflate(&bytes[..CHUNK])).await.is_err(), "it was not announced");
        assert_eq!(binaries.announce(&new, "a").await.unwrap().chunks, 3);
        assert!(binaries.announce(&NewBinary { sha256: "x".repeat(64), size: 1 }, "a").await.is_err());
        for (index, chunk) in bytes.chunks(CHUNK).enumerate().skip(1) {
            binaries.put(&sha256, index as u32, &deflate(chunk)).await.unwrap();
        }
        assert!(binaries.put(&sha256, 0, &deflate(&bytes)).await.is_err(), "too many bytes");
        assert!(binaries.put(&sha256, 0, &bytes[..CHUNK]).await.is_err(), "not deflated");
        assert!(binaries.put(&sha256, 3, &deflate(&bytes[..1])).await.is_err());
        let missing = binaries.finish(&sha256, "key", &[]).await.unwrap_err().to_string();
        assert!(missing.contains("chunk 0") && missing.contains("not in the store"), "{missing}");
        binaries.put(&sha256, 0, &deflate(&vec![7; CHUNK])).await.unwrap();
        let other = binaries.finish(&sha256, "key", &[]).await.unwrap_err().to_string();
        assert!(other.contains("another hash"), "{other}");
        binaries.put(&sha256, 0, &deflate(&bytes[..CHUNK])).await.unwrap();
        assert!(binaries.complete(&sha256).await.is_err());
        assert!(binaries.fetch(&sha256, "key", &mut Vec::new()).await.is_err(), "nobody signed it");
        assert!(binaries.finish(&sha256, "key", &[]).await.unwrap().complete);
        let mut out = Vec::new();
        binaries.fetch(&sha256, "key", &mut out).await.unwrap();
        assert_eq!(out, bytes);
        let unsigned = binaries.fetch(&sha256, "another", &mut Vec::new()).await.unwrap_err().to_string();
        assert!(unsigned.contains("not signed"), "{unsigned}");
        // A key that comes after signs it anew.
        assert_eq!(binaries.sign_anew("new\nkey").await.unwrap(), 1);
        binaries.fetch(&sha256, "new", &mut Vec::new()).await.unwrap();
        // Somebody who has the store and not the key.
        store.set(&keys::binary_chunk(&sha256, 1), deflate(&vec![7; CHUNK]).into(), Write::default()).await.unwrap();
        assert!(binaries.fetch(&sha256, "new", &mut Vec::new()).await.is_err());
        // What nobody uses goes with the next one.
        let next = NewBinary { sha256: hex(&Sha256::digest(b"next")), size: 4 };
        binaries.announce(&next, "a").await.unwrap();
        binaries.put(&next.sha256, 0, &deflate(b"next")).await.unwrap();
        binaries.finish(&next.sha256, "new", &[]).await.unwrap();
        assert!(binaries.complete(&sha256).await.is_err());
        assert!(store.list(&keys::binary_chunks(&sha256)).await.unwrap().is_empty());
    }
}
