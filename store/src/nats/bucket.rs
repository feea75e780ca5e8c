//! The bucket: a stream that keeps the newest record of each subject.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, LastRawMessageErrorKind, StorageType, Stream};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use crate::contract::{Result, StoreError};

use super::client::Nats;
use super::key;
use super::record::Record;

/// How many records are read at once.
const AT_ONCE: usize = 64;
/// How long a write that another was faster than waits before it looks again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long the server knows ids. Two writes that replace the same revision are milliseconds apart; a write that a server was told
/// of and lost keeps others from replacing its revision for so long.
const KNOWN: Duration = Duration::from_secs(5);

/// Which revision a write must replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaces {
    /// Whatever is there.
    Anything,
    /// This revision of the same subject; 0: nothing.
    Revision(u64),
    /// This revision of the same subject, while the whole stream is at that revision.
    Stream { all: u64, own: u64 },
}

/// The bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) nats: Nats,
    pub(super) context: Context,
    pub(super) stream: Stream,
    /// The subject above all entries.
    pub(super) entries: String,
    /// The subject above all leases.
    pub(super) leases: String,
}

impl Bucket {
    /// Opens the bucket; makes it when it is not there.
    pub(super) async fn open(nats: Nats, namespace: &str) -> Result<Bucket> {
        let mut context = jetstream::new(nats.client.clone());
        context.set_timeout(nats.timeout);
        let config = Config {
            name: format!("KV_{namespace}"),
            description: Some("Flotilla's shared state".to_owned()),
            subjects: vec![format!("$KV.{namespace}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            storage: StorageType::File,
            num_replicas: nats.replicas,
            duplicate_window: KNOWN,
            ..Config::default()
        };
        let stream = context.get_or_create_stream(config).await.map_err(|error| match error.to_string() {
            reason if reason.contains("not enabled") => StoreError::Refused { store: nats.place.clone(), reason },
            reason => nats.away(reason),
        })?;
        let found = &stream.cached_info().config;
        if found.max_messages_per_subject != 1 || !found.subjects.contains(&format!("$KV.{namespace}.>")) {
            return Err(StoreError::Foreign {
                place: format!("stream KV_{namespace} in {}", nats.place),
                reason: "it is not a key-value bucket with a history of 1".to_owned(),
            });
        }
        if found.num_replicas < nats.replicas {
            return Err(StoreError::Refused {
                store: nats.place.clone(),
                reason: format!(
                    "the stream KV_{namespace} is on {} servers and the URL says replicas={}: change the stream \
                     (`nats stream edit KV_{namespace} --replicas {}`) or the URL",
                    found.num_replicas, nats.replicas, nats.replicas
                ),
            });
        }
        if found.num_replicas == 1 {
            tracing::warn!(
                "the NATS bucket is on one server, which by default writes to disk with a delay: a power loss there takes \
                 acknowledged writes; set sync_interval: always in the server's jetstream section, or ?replicas=3 on a cluster"
            );
        }
        let (entries, leases) = (format!("$KV.{namespace}.e"), format!("$KV.{namespace}.l"));
        Ok(Bucket { nats, context, stream, entries, leases })
    }

    /// The newest record of a subject.
    pub(super) async fn read(&self, subject: &str) -> Result<Option<Record>> {
        self.nats.check()?;
        match self.stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => {
                let written = message.time.unix_timestamp_nanos();
                Ok(Some(Record::new(message.sequence, message.payload, Some(&message.headers), written)))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.nats.away(error)),
        }
    }

    /// Writes a record; answers its revision, or `None` when something else is there than it was to replace.
    ///
    /// On several servers (`replicas=3`) NATS 2.9 compares the expected revision when it proposes a write, with what is stored by
    /// then: of two writes at the same time both may be accepted. Duplicates by `Nats-Msg-Id` are found when a write is stored, in
    /// the same order at each server, so writes that replace the same revision have the same id, and one of them wins.
    pub(super) async fn write(
        &self,
        subject: &str,
        value: Bytes,
        mut headers: HeaderMap,
        replaces: Replaces,
    ) -> Result<Option<u64>> {
        self.nats.check()?;
        let own = match replaces {
            Replaces::Anything => None,
            Replaces::Revision(own) => {
                headers.insert("Nats-Expected-Last-Subject-Sequence", own.to_string().as_str());
                Some(own)
            }
            Replaces::Stream { all, own } => {
                headers.insert("Nats-Expected-Last-Sequence", all.to_string().as_str());
                Some(own)
            }
        };
        if let Some(own) = own {
            headers.insert("Nats-Msg-Id", format!("{subject} {own}").as_str());
        }
        let sent = self.context.publish_with_headers(subject.to_owned(), headers, value).await;
        match sent.map_err(|error| self.nats.away(error))?.await {
            Ok(ack) if ack.duplicate => {
                // The one that came first may not be there to be read yet.
                tokio::time::sleep(AGAIN).await;
                Ok(None)
            }
            Ok(ack) => Ok(Some(ack.sequence)),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(None),
            Err(error) => Err(self.nats.away(error)),
        }
    }

    /// The revision of the whole stream.
    pub(super) async fn revision(&self) -> Result<u64> {
        self.nats.check()?;
        Ok(self.stream.get_info().await.map_err(|error| self.nats.away(error))?.state.last_sequence)
    }

    /// The newest records under a prefix, by key; `root` is `entries` or `leases`.
    pub(super) async fn records(&self, root: &str, prefix: &str) -> Result<Vec<(String, Record)>> {
        self.nats.check()?;
        let failed = |error: String| self.nats.away(error);
        let info = self.stream.info_with_subjects(key::filter(root, prefix)).await;
        let mut subjects = info.map_err(|error| failed(error.to_string()))?;
        let mut found = Vec::new();
        while let Some((subject, _)) = subjects.try_next().await.map_err(|error| failed(error.to_string()))? {
            found.extend(key::key(root, &subject).filter(|key| key.starts_with(prefix)).map(|key| (key, subject)));
        }
        // A key that is a prefix's first part only ("a" for "a/") has a subject of its own that the filter leaves out.
        found.sort_unstable();
        let reads = found.into_iter().map(async |(key, subject)| Ok((key, self.read(&subject).await?)));
        let records: Vec<(String, Option<Record>)> =
            futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        Ok(records.into_iter().filter_map(|(key, record)| Some((key, record?))).collect())
    }
}
