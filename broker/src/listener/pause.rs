//! Why a connection is not read from, and for how long.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::link::Link;

/// Why a connection is not read from for a while.
pub(super) enum Pause {
    /// A subscriber is behind: give it time, within limits.
    Subscriber { link: Arc<Link>, progress: u64, until: Instant, look: Instant },
    /// A share group has no room for what an MQTT 3.1.1 client published.
    Group { space: Arc<Notify>, look: Instant },
}

/// A subscriber that does nothing for this long is not waited for.
const STALLED: Duration = Duration::from_millis(100);

impl Pause {
    pub(super) fn for_subscriber(link: Arc<Link>, patience: Duration) -> Option<Self> {
        let (pressed, progress) = link.pressure();
        let now = Instant::now();
        (pressed && !patience.is_zero()).then(|| Self::Subscriber {
            link,
            progress,
            until: now + patience,
            look: now + STALLED,
        })
    }

    pub(super) fn for_group(space: Arc<Notify>) -> Self {
        Self::Group { space, look: Instant::now() + STALLED }
    }

    /// Waits until something changed; then [`Self::is_over`] tells whether it was enough.
    pub(super) async fn wait(&self) {
        // A wake that comes between two waits is made up for by the time-out, which does not begin
        // anew when the wait is broken off.
        let (wake, look) = match self {
            Self::Subscriber { link, look, .. } => (&link.drained, *look),
            Self::Group { space, look } => (space.as_ref(), *look),
        };
        let _ = timeout_at(look, wake.notified()).await;
    }

    pub(super) fn is_over(&mut self) -> bool {
        let Self::Subscriber { link, progress, until, look } = self else { return true };
        let (pressed, seen) = link.pressure();
        let now = Instant::now();
        let idle = seen == *progress;
        if pressed && idle && now >= *look {
            link.mark_stalled();
        }
        let over = !pressed || (idle && now >= *look) || now >= *until;
        *progress = seen;
        *look = now + STALLED;
        over
    }
}
