//! The server's clock.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::{Config, StorageType, Stream};
use tokio::sync::Mutex;

use crate::contract::{Moment, Result};

use super::bucket::Bucket;
use super::record::time;

/// How long a reading is carried on with this machine's clock.
const FRESH: Duration = Duration::from_secs(2);

/// The server's clock, read now and then.
pub(super) struct Clock {
    stream: Stream,
    subject: String,
    reading: Mutex<Option<Reading>>,
}

/// The server's time at some moment between two of ours.
#[derive(Clone, Copy)]
struct Reading {
    server: SystemTime,
    asked: Moment,
    answered: Moment,
}

/// The server's time now, as close as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// It is not earlier than this. To judge whether another's lease ended.
    pub earliest: SystemTime,
    /// It is not later than this. To judge whether our own lease may have ended.
    pub latest: SystemTime,
}

impl Clock {
    /// Makes the stream that the time is read from.
    pub(super) async fn open(bucket: &Bucket, namespace: &str) -> Result<Clock> {
        let subject = format!("{namespace}_clock");
        let config = Config {
            name: subject.clone(),
            description: Some("Tells Flotilla the server's time".to_owned()),
            subjects: vec![subject.clone()],
            max_messages: 1_000,
            storage: StorageType::Memory,
            // As the bucket: on one server alone, its end would be the end of every lease.
            num_replicas: bucket.nats.replicas,
            ..Config::default()
        };
        let stream = bucket.context.get_or_create_stream(config.clone()).await;
        let stream = stream.map_err(|error| bucket.nats.away(error))?;
        if stream.cached_info().config.num_replicas < bucket.nats.replicas {
            // An earlier version made it.
            bucket.context.update_stream(&config).await.map_err(|error| bucket.nats.away(error))?;
        }
        Ok(Clock { stream, subject, reading: Mutex::new(None) })
    }

    /// The server's time, from a reading of the last seconds.
    pub(super) async fn now(&self, bucket: &Bucket) -> Result<Now> {
        let mut reading = self.reading.lock().await;
        let fresh = reading.filter(|reading| reading.answered.elapsed() < FRESH);
        let fresh = match fresh {
            Some(fresh) => fresh,
            None => *reading.insert(self.read(bucket).await?),
        };
        let now = Moment::now();
        Ok(Now {
            earliest: fresh.server + now.duration_since(fresh.answered),
            latest: fresh.server + now.duration_since(fresh.asked),
        })
    }

    async fn read(&self, bucket: &Bucket) -> Result<Reading> {
        bucket.nats.check()?;
        let asked = Moment::now();
        let written = bucket.context.publish(self.subject.clone(), "".into()).await;
        let written = written.map_err(|error| bucket.nats.away(error))?.await;
        let revision = match written {
            Ok(ack) => ack.sequence,
            Err(error) => {
                // A stream in memory is gone after a restart of the server.
                let config = self.stream.cached_info().config.clone();
                let made = bucket.context.get_or_create_stream(config).await;
                made.map_err(|_| bucket.nats.away(&error))?;
                let again = bucket.context.publish(self.subject.clone(), "".into()).await;
                again.map_err(|error| bucket.nats.away(error))?.await.map_err(|error| bucket.nats.away(error))?.sequence
            }
        };
        let answered = Moment::now();
        let message = self.stream.get_raw_message(revision).await.map_err(|error| bucket.nats.away(error))?;
        let server = time(u64::try_from(message.time.unix_timestamp_nanos()).unwrap_or_default());
        Ok(Reading { server, asked, answered })
    }
}
