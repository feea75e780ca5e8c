//! Requests that the gateway answered itself because no replica did: the newest are kept, as trails.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flotilla_api::trail::Trail;
use hyper::{Method, StatusCode, Uri};
use parking_lot::Mutex;

use super::answers::Own;

/// Requests that a replica had, and did not answer.
const SENT: usize = 200;
/// Requests that no replica was there for: while a group is away these are all.
const UNSENT: usize = 100;
/// A path is cut here, in bytes.
const PATH: usize = 256;

/// Requests that the gateway answered itself with 502, 503 or 504, the newest of those that were sent and of those that were not.
/// Each gateway has its own, in memory.
#[derive(Debug, Default)]
pub struct Misses {
    numbers: AtomicU64,
    sent: Mutex<VecDeque<Trail>>,
    unsent: Mutex<VecDeque<Trail>>,
}

impl Misses {
    /// Keeps a request that was answered so, after so long.
    pub(super) fn keep(&self, method: &Method, uri: &Uri, status: StatusCode, own: &Own, took: Duration) {
        let came = SystemTime::now().duration_since(UNIX_EPOCH).map_or(Duration::ZERO, |now| now.saturating_sub(took));
        let mut topic = format!("{method} {}", uri.path());
        let end = (0..=PATH.min(topic.len())).rev().find(|at| topic.is_char_boundary(*at)).unwrap_or(0);
        topic.truncate(end);
        let trail = Trail {
            replica: own.replica.clone(),
            number: self.numbers.fetch_add(1, Ordering::Relaxed) + 1,
            came_ms: u64::try_from(came.as_millis()).unwrap_or(u64::MAX),
            topic,
            status: status.as_u16(),
            answered_us: Some(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            too_late: status == StatusCode::GATEWAY_TIMEOUT,
            at_gateway: true,
            error: own.why.clone(),
            ..Trail::default()
        };
        let (kept, most) = if own.replica.is_empty() { (&self.unsent, UNSENT) } else { (&self.sent, SENT) };
        let mut kept = kept.lock();
        kept.push_back(trail);
        if kept.len() > most {
            kept.pop_front();
        }
    }

    /// Those that are kept, in no order.
    pub fn trails(&self) -> Vec<Trail> {
        let mut all: Vec<Trail> = self.sent.lock().iter().cloned().collect();
        all.extend(self.unsent.lock().iter().cloned());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_that_nobody_had_push_out_none_that_a_replica_had() {
        let misses = Misses::default();
        let uri = |path: &str| path.parse::<Uri>().unwrap();
        let sent = Own { why: "replica r1 did not answer".to_owned(), replica: "r1".to_owned() };
        let late = Duration::from_millis(1500);
        misses.keep(&Method::GET, &uri("/late?order=1"), StatusCode::GATEWAY_TIMEOUT, &sent, late);
        let unsent = Own { why: "no replica is ready".to_owned(), replica: String::new() };
        let path = format!("/{}", "x".repeat(2000));
        for _ in 0..UNSENT + 10 {
            misses.keep(&Method::POST, &uri(&path), StatusCode::SERVICE_UNAVAILABLE, &unsent, Duration::ZERO);
        }
        let all = misses.trails();
        assert_eq!(all.len(), 1 + UNSENT);
        let Trail { topic, replica, status, answered_us, too_late, at_gateway, .. } = &all[0];
        assert_eq!((topic.as_str(), replica.as_str(), *status), ("GET /late", "r1", 504));
        assert!(*answered_us == Some(1_500_000) && *too_late && *at_gateway, "{:?}", all[0]);
        assert!(all[1].topic.len() <= PATH && !all[1].too_late && all[1].number == 12, "{:?}", all[1]);
    }
}
