//! Who tries credentials has to wait.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flotilla_api::Problem;
use parking_lot::Mutex as Shared;
use tokio::sync::{Mutex, Semaphore};

/// One wrong token after the other is answered, each after this.
const SLOW: Duration = Duration::from_millis(125);
/// So many wait for their answer; those beyond are answered at once and told nothing more.
const WAITING: usize = 64;
/// A log line at most so often.
const LOG: Duration = Duration::from_secs(10);

/// Who showed a wrong credential.
pub(super) struct Lock {
    turn: Mutex<()>,
    waiting: Semaphore,
    since_logged: AtomicU64,
    logged: Shared<Option<Instant>>,
}

impl Lock {
    pub(super) fn new() -> Lock {
        metrics::describe_counter!(
            "flotilla_admin_refused_total",
            "Requests to the admin API that were refused, by reason"
        );
        let (turn, waiting, since_logged) = (Mutex::default(), Semaphore::new(WAITING), AtomicU64::new(0));
        Lock { turn, waiting, since_logged, logged: Shared::default() }
    }

    /// Counts and logs a request that is refused, and keeps it waiting when it showed a wrong token.
    pub(super) async fn refuse(&self, problem: &Problem, peer: Option<IpAddr>) {
        let wrong = problem.code == "wrong_token";
        let reason = problem.code.clone();
        metrics::counter!("flotilla_admin_refused_total", "reason" => reason).increment(1);
        if !wrong {
            return;
        }
        self.log(peer);
        // Places come back by themselves: one who hangs up drops this here.
        if let Ok(_place) = self.waiting.try_acquire() {
            let _turn = self.turn.lock().await;
            tokio::time::sleep(SLOW).await;
        }
    }

    fn log(&self, peer: Option<IpAddr>) {
        let times = self.since_logged.fetch_add(1, Ordering::Relaxed) + 1;
        let mut logged = self.logged.lock();
        if logged.is_none_or(|at| at.elapsed() >= LOG) {
            *logged = Some(Instant::now());
            self.since_logged.store(0, Ordering::Relaxed);
            let peer = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
            tracing::warn!(peer, times, "a wrong token was shown");
        }
    }
}
