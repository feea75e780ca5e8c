//! Counts what arrives on a topic, with rumqttc: a client that nobody here wrote.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use flotilla_codec::Version;
use flotilla_load::rumqtt::{Happening, Link, LinkOptions};
use flotilla_load::scenario::Target;
use tokio::runtime::{Builder, Runtime};

use crate::wait::eventually;

/// How long connecting and subscribing may take.
const SUBSCRIBE: Duration = Duration::from_secs(10);
/// Between attempts to connect again.
const AGAIN: Duration = Duration::from_millis(200);

/// How often each payload came.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

/// A subscriber that counts payloads. Its session ends with its connection; when that is lost, it connects and subscribes
/// anew.
pub struct Collector {
    runtime: Option<Runtime>,
    counts: Counts,
}

/// Counts until its runtime ends. The first SUBACK is the answer.
async fn collect(mut link: Link, filter: String, qos: u8, counts: Counts, answer: SyncSender<Result<(), String>>) {
    loop {
        match link.poll().await {
            Ok(Happening::Connected { .. }) => {
                if let Err(error) = link.sender().subscribe(&filter, qos).await {
                    let _ = answer.try_send(Err(error.to_string()));
                }
            }
            Ok(Happening::Subscribed) => drop(answer.try_send(Ok(()))),
            Ok(Happening::NotSubscribed(why)) => drop(answer.try_send(Err(why))),
            Ok(Happening::Message(message)) => {
                let payload = String::from_utf8_lossy(&message.payload).into_owned();
                *counts.lock().expect("no panic while counting").entry(payload).or_default() += 1;
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

impl Collector {
    /// Subscribes over MQTT 5 and returns when the subscription is in force.
    pub fn start(broker: SocketAddr, topic: &str, qos: u8) -> anyhow::Result<Collector> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let client_id = format!("collector-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let target = Target {
            host: broker.ip().to_string(),
            port: broker.port(),
            tls: None,
            version: Version::V5,
            user: None,
            password: None,
            keep_alive: 60,
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let link = LinkOptions { client_id, clean: true, queue: 10, ..LinkOptions::default() }.link(&target);
        let (counts, (answer, answered)) = (Counts::default(), sync_channel(1));
        runtime.spawn(collect(link, topic.to_owned(), qos, counts.clone(), answer));
        let collector = Collector { runtime: Some(runtime), counts };
        let subscribed = answered.recv_timeout(SUBSCRIBE).with_context(|| format!("no SUBACK for {topic} in time"))?;
        subscribed.map_err(|why| anyhow!("the broker refused the subscription to {topic}: {why}"))?;
        Ok(collector)
    }

    /// How often each payload arrived so far.
    pub fn counts(&self) -> HashMap<String, usize> {
        self.counts.lock().expect("no panic while counting").clone()
    }

    /// Different payloads so far.
    pub fn distinct(&self) -> usize {
        self.counts.lock().expect("no panic while counting").len()
    }

    /// Waits for JSON payloads with every `seq` below `messages`, and gives how often each came. The same number may come
    /// with different payloads: a second delivery meets another state of the flow.
    ///
    /// # Errors
    /// When numbers are missing at the deadline, with how many and the first of them; when a payload has no number.
    pub fn wait_for_numbers(&self, messages: usize, deadline: Duration) -> anyhow::Result<HashMap<u64, usize>> {
        let _ = eventually("an output for every input", deadline, || {
            // Cheap to ask; there are no fewer payloads than numbers.
            (self.distinct() >= messages && self.numbers().is_ok_and(|numbers| numbers.len() >= messages)).then_some(())
        });
        let numbers = self.numbers()?;
        let missing: Vec<_> = (0..messages as u64).filter(|number| !numbers.contains_key(number)).take(10).collect();
        ensure!(missing.is_empty(), "lost {} of {messages}, first {missing:?}", messages - numbers.len());
        Ok(numbers)
    }

    fn numbers(&self) -> anyhow::Result<HashMap<u64, usize>> {
        let mut numbers = HashMap::new();
        for (payload, count) in self.counts() {
            let value: serde_json::Value = serde_json::from_str(&payload)?;
            let number = value["seq"].as_u64().with_context(|| format!("an output without its number: {payload}"))?;
            *numbers.entry(number).or_default() += count;
        }
        Ok(numbers)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Without a wait: its one task ends at its next poll.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
