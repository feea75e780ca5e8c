//! Counts what arrives on a topic, with Mosquitto's own client.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;

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
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
