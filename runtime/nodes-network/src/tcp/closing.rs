//! The end of a node that listens.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::Notify;

use super::listener::Listener;

/// How long a closing node lets its connections end by themselves and what is written go out.
const GOODBYE: Duration = Duration::from_millis(300);

/// The socket of a server, and what its end waits for.
pub(super) struct Closing {
    listener: RefCell<Option<Listener>>,
    /// The socket is closed.
    closed: Notify,
    /// A connection has gone.
    gone: Notify,
}

impl Closing {
    pub(super) fn new(listener: Listener) -> Closing {
        Closing { listener: RefCell::new(Some(listener)), closed: Notify::new(), gone: Notify::new() }
    }

    /// The socket, once: for the task that accepts, or for the end of a node that was not started.
    pub(super) fn take(&self) -> Option<Listener> {
        self.listener.borrow_mut().take()
    }

    /// The task that accepts has ended.
    pub(super) fn socket_has_closed(&self) {
        self.closed.notify_one();
    }

    /// A connection has ended.
    pub(super) fn connection_has_gone(&self) {
        self.gone.notify_one();
    }

    /// Waits until the socket of a server that was started is closed, and for a while until all connections have gone. Peers
    /// that keep their side open are cut off then, as are those that the flow was still writing to.
    pub(super) async fn wait(&self, started: bool, all_gone: impl Fn() -> bool) {
        if started {
            self.closed.notified().await;
        }
        let last = async {
            while !all_gone() {
                self.gone.notified().await;
            }
        };
        let _ = tokio::time::timeout(GOODBYE, last).await;
    }
}
