//! Counts what arrives on a topic, with Mosquitto's own client.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::wait::eventually;

/// A subscriber that counts payloads.
pub struct Collector {
    child: Child,
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Collector {
    /// Subscribes with `mosquitto_sub` and returns when the subscription is in force.
    pub fn start(broker: SocketAddr, topic: &str, qos: u8) -> anyhow::Result<Collector> {
        // Line by line: a pipe is buffered by the page otherwise, and "Subscribed" would not come.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub", "-h", &broker.ip().to_string(), "-p", &broker.port().to_string()])
            .args(["-V", "5", "-q", &qos.to_string(), "-t", topic, "-d", "-F", "PAYLOAD %p"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("mosquitto_sub is needed (package mosquitto-clients)")?;
        let output = child.stdout.take().context("its output is piped")?;
        let counts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let subscribed = Arc::new(Mutex::new(false));
        let (sink, flag) = (counts.clone(), subscribed.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(payload) = line.strip_prefix("PAYLOAD ") {
                    *sink.lock().expect("no panic while counting").entry(payload.to_owned()).or_default() += 1;
                } else if line.contains("Subscribed") || line.contains("SUBACK") {
                    *flag.lock().expect("no panic while counting") = true;
                }
            }
        });
        eventually("the subscription of the collector", Duration::from_secs(10), || {
            subscribed.lock().expect("no panic while counting").then_some(())
        })?;
        Ok(Collector { child, counts })
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
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
