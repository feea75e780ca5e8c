use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use crate::link::Link;

/// Why a connection is not read from for a while.
pub(super) enum Pause {
    /// A subscriber is behind: give it time, within limits.
    Subscriber { link: Arc<Link>, progress: u64, until: Instant },
    /// A share group has no room for what an MQTT 3.1.1 client published.
    Group(Arc<Notify>),
}

/// A subscriber that does nothing for this long is not waited for.
const STALLED: Duration = Duration::from_millis(100);

impl Pause {
    pub(super) fn for_subscriber(link: Arc<Link>, patience: Duration) -> Option<Self> {
        let (pressed, progress) = link.pressure();
        pressed.then(|| Self::Subscriber { link, progress, until: Instant::now() + patience })
    }

    /// Waits until something changed; then [`Self::is_over`] tells whether it was enough.
    pub(super) async fn wait(&self) {
        // A wake that comes between two waits is made up for by the time-out.
        let wake = match self {
            Self::Subscriber { link, .. } => &link.drained,
            Self::Group(space) => space.as_ref(),
        };
        let _ = timeout(STALLED, wake.notified()).await;
    }

    pub(super) fn is_over(&mut self) -> bool {
        let Self::Subscriber { link, progress, until } = self else { return true };
        let (pressed, now) = link.pressure();
        if pressed && now == *progress {
            link.mark_stalled();
        }
        let over = !pressed || now == *progress || Instant::now() >= *until;
        *progress = now;
        over
    }
}
