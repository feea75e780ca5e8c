//! What the balancer counts. Labels are bounded: statuses by class, reasons by name, replicas while they are routed to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use parking_lot::Mutex;

use super::pool::Pool;
use super::shards::{BUCKETS, Open, Shards};

/// What the balancer counts.
#[derive(Default)]
pub struct Meters {
    requests: Shards,
    connections: Arc<AtomicU64>,
    tunnels: Arc<AtomicU64>,
    unavailable: AtomicU64,
    turned_away: AtomicU64,
    /// By reason; rare, so a lock will do.
    retried: Mutex<BTreeMap<&'static str, u64>>,
    lost: Mutex<BTreeMap<&'static str, u64>>,
    refused: Mutex<BTreeMap<u16, u64>>,
}

/// Counts something while it is there.
pub(super) struct Counted(Arc<AtomicU64>);

/// Counts an upgraded connection.
pub(super) type Tunnel = Counted;

impl Counted {
    fn new(gauge: &Arc<AtomicU64>) -> Counted {
        gauge.fetch_add(1, Ordering::Relaxed);
        Counted(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meters {
    pub(super) fn open(&self, thread: usize) -> Open<'_> {
        self.requests.open(thread)
    }

    pub(super) fn connection(&self) -> Counted {
        Counted::new(&self.connections)
    }

    /// Connections of clients now.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn tunnel(&self) -> Tunnel {
        Counted::new(&self.tunnels)
    }

    pub(super) fn answered(&self, thread: usize, status: StatusCode, took: Duration) {
        self.requests.answered(thread, status, took);
    }

    pub(super) fn retried(&self, reason: &'static str) {
        *self.retried.lock().entry(reason).or_default() += 1;
    }

    pub(super) fn lost(&self, reason: &'static str) {
        *self.lost.lock().entry(reason).or_default() += 1;
    }

    pub(super) fn refused(&self, status: StatusCode) {
        *self.refused.lock().entry(status.as_u16()).or_default() += 1;
    }

    pub(super) fn unavailable(&self) {
        self.unavailable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// All series in Prometheus' text format, with those of the replicas of a pool.
    pub fn render(&self, pool: &Pool) -> String {
        let mut text = String::new();
        let count = |gauge: &AtomicU64| gauge.load(Ordering::Relaxed);
        let series = |name: &str, kind: &str, help: &str, rows: &[(String, u64)]| {
            let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
            for (labels, value) in rows {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
            text
        };
        let one = |value: u64| vec![(String::new(), value)];
        let classes = (1..6)
            .map(|class| (format!("{{class=\"{class}xx\"}}"), self.requests.sum(|shard| &shard.classes[class])))
            .collect::<Vec<_>>();
        text +=
            &series("flotilla_gateway_responses_total", "counter", "Answers to clients, by class of status", &classes);
        text += &self.durations();
        let backends = pool.backends();
        let of = |what: fn(&super::Backend) -> u64| {
            let row = |backend: &Arc<super::Backend>| (format!("{{replica=\"{}\"}}", backend.id), what(backend));
            backends.iter().map(row).collect::<Vec<_>>()
        };
        let reasons = |map: &Mutex<BTreeMap<&'static str, u64>>| {
            map.lock().iter().map(|(reason, count)| (format!("{{reason=\"{reason}\"}}"), *count)).collect::<Vec<_>>()
        };
        let refused = self
            .refused
            .lock()
            .iter()
            .map(|(status, count)| (format!("{{status=\"{status}\"}}"), *count))
            .collect::<Vec<_>>();
        for (name, kind, help, rows) in [
            (
                "requests_total",
                "counter",
                "Requests that a replica answered, of replicas that are routed to",
                of(super::backend::Backend::answered),
            ),
            (
                "replica_open_requests",
                "gauge",
                "Requests that are open at a replica",
                of(|backend| backend.in_flight() as u64),
            ),
            (
                "replica_up",
                "gauge",
                "0 after a refused connection, or while time-outs eject the replica",
                of(|backend| u64::from(backend.is_up() && !backend.is_ejected())),
            ),
            ("ready_replicas", "gauge", "Replicas that the gateway routes to", one(backends.len() as u64)),
            ("open_requests", "gauge", "Requests that wait for an answer", one(self.requests.sum(|shard| &shard.open))),
            ("connections", "gauge", "Connections of clients", one(count(&self.connections))),
            ("tunnels", "gauge", "Upgraded connections, which are WebSockets", one(count(&self.tunnels))),
            (
                "unavailable_total",
                "counter",
                "Requests answered 503 because no replica was ready",
                one(count(&self.unavailable)),
            ),
            ("turned_away_total", "counter", "Connections beyond --max-connections", one(count(&self.turned_away))),
            ("retries_total", "counter", "Requests sent to another replica, by reason", reasons(&self.retried)),
            ("lost_total", "counter", "Requests that a replica did not answer, by reason", reasons(&self.lost)),
            ("refused_total", "counter", "Malformed or too slow requests, by status", refused),
        ] {
            text += &series(&format!("flotilla_gateway_{name}"), kind, help, &rows);
        }
        text
    }

    fn durations(&self) -> String {
        let name = "flotilla_gateway_request_duration_seconds";
        let mut text =
            format!("# HELP {name} From a request's head to the head of its answer\n# TYPE {name} histogram\n");
        let mut sum = 0;
        for at in 0..=BUCKETS.len() {
            sum += self.requests.sum(|shard| &shard.buckets[at]);
            let bound = BUCKETS.get(at).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {sum}");
        }
        let seconds = self.requests.sum(|shard| &shard.nanos) as f64 / 1e9;
        let _ = writeln!(text, "{name}_sum {seconds}\n{name}_count {sum}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_its_help_and_its_bounded_labels() {
        let meters = Meters::default();
        meters.answered(0, StatusCode::OK, Duration::from_millis(3));
        meters.answered(1, StatusCode::BAD_GATEWAY, Duration::from_secs(100));
        drop(meters.open(1));
        let _open = [meters.open(0), meters.open(1)];
        meters.lost("gone");
        let text = meters.render(&Pool::new(1));
        for line in [
            "flotilla_gateway_responses_total{class=\"2xx\"} 1",
            "flotilla_gateway_responses_total{class=\"5xx\"} 1",
            "flotilla_gateway_open_requests 2",
            "flotilla_gateway_request_duration_seconds_sum 100.003",
            "flotilla_gateway_request_duration_seconds_bucket{le=\"0.005\"} 1",
            "flotilla_gateway_request_duration_seconds_bucket{le=\"+Inf\"} 2",
            "flotilla_gateway_lost_total{reason=\"gone\"} 1",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
            assert!(text.contains(&format!("# HELP {family} ")), "{name} has no help");
        }
    }
}
