//! What a replica knows of its own place: whether it may judge others, and whether it may take up work after a pause.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::Moment;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use super::registration::Request;

/// A look at a replica's own lease that costs no request. Clones show the same.
#[derive(Clone)]
pub struct Standing {
    inner: Arc<Mutex<Inner>>,
    asked: watch::Sender<Moment>,
    requests: mpsc::WeakSender<Request>,
    ttl: Duration,
}

struct Inner {
    /// Since when each renewal came in time; `None` while the store is away.
    unbroken: Option<Moment>,
    /// When the last renewal that succeeded was sent.
    renewed: Moment,
    lost: bool,
}

impl Standing {
    pub(super) fn new(ttl: Duration, requests: mpsc::WeakSender<Request>) -> Standing {
        let now = Moment::now();
        let inner = Inner { unbroken: Some(now), renewed: now, lost: false };
        Standing { inner: Arc::new(Mutex::new(inner)), asked: watch::Sender::new(now), requests, ttl }
    }

    /// A renewal that was sent at `sent` succeeded, without the lease having run out before.
    pub(super) fn renewed(&self, sent: Moment) {
        let mut inner = self.inner.lock();
        // A lease may be granted for longer than asked, so the store's answer alone does not tell a pause.
        if sent.duration_since(inner.renewed) >= self.ttl {
            inner.unbroken = None;
        }
        inner.unbroken.get_or_insert_with(Moment::now);
        inner.renewed = sent;
        drop(inner);
        self.asked.send_replace(sent);
    }

    /// A renewal that was sent at `sent` got no answer, or the lease had run out.
    pub(super) fn broken(&self, sent: Moment) {
        self.inner.lock().unbroken = None;
        self.asked.send_replace(sent);
    }

    pub(super) fn lost(&self) {
        self.inner.lock().lost = true;
        self.asked.send_replace(Moment::now());
    }

    /// True when a replica without a lease can be taken for dead: for a whole lease now every renewal of our own came
    /// in time, so that all who live have had the time to renew theirs since the last outage.
    pub fn may_judge(&self) -> bool {
        let inner = self.inner.lock();
        !inner.lost
            && inner.renewed.elapsed() < self.ttl
            && inner.unbroken.is_some_and(|since| since.elapsed() >= self.ttl)
    }

    /// False when this process did not look at its lease for longer than that runs, as after a pause: another may have
    /// its id by now. True also while the store is away.
    pub fn is_current(&self) -> bool {
        self.asked.borrow().elapsed() < self.ttl
    }

    /// True when the lease is lost for good.
    pub fn is_lost(&self) -> bool {
        self.inner.lock().lost
    }

    /// True when the lease certainly runs: it was renewed less than its length ago.
    pub fn holds(&self) -> bool {
        let inner = self.inner.lock();
        !inner.lost && inner.renewed.elapsed() < self.ttl
    }

    /// Waits until this process has looked at its lease after a pause; true when it is not lost. `patience` bounds the
    /// wait: the store may be slow, and the flows go on then.
    pub async fn until_current(&self, patience: Duration) -> bool {
        let mut asked = self.asked.subscribe();
        let waiting = asked.wait_for(|at| at.elapsed() < self.ttl);
        let _ = tokio::time::timeout(patience, waiting).await;
        !self.is_lost()
    }

    /// Renews the lease now. True when that succeeded without the lease having run out: nobody can have acted as if this
    /// process were dead, and it was not blind since its last renewal.
    pub async fn prove(&self) -> bool {
        let Some(requests) = self.requests.upgrade() else { return false };
        let (done, proven) = oneshot::channel();
        requests.send(Request::Prove(done)).await.is_ok() && proven.await.unwrap_or(false)
    }
}
