//! The writing side of a connection, for whoever has something to say on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use flotilla_engine::message::{Delivery, Msg};

/// Bytes that may wait for a peer that does not read; Node.js has no bound.
const MAX_WAITING: usize = 64 << 20;

/// Why something is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer does not read: {MAX_WAITING} bytes wait for it already, so the message is not sent")]
pub(crate) struct LinkFull;

/// A connection as its writers see it; they may be on other workers. `T` is what is written: bytes, frames.
#[derive(Debug)]
pub(crate) struct Link<T> {
    orders: mpsc::UnboundedSender<Order<T>>,
    waiting: Arc<AtomicUsize>,
    destroyed: CancellationToken,
}

/// What a writer wants, in order.
pub(crate) enum Order<T> {
    /// Send.
    Write(Write<T>),
    /// Say that nothing follows, and go on reading until the peer says so too.
    End,
    /// Close, once everything before is sent.
    Close,
}

/// Something to send. When this is dropped it is with the system, or lost with its connection: its place in the queue is
/// free again, and it no longer keeps its message's delivery open.
pub(crate) struct Write<T> {
    pub(crate) item: T,
    cost: usize,
    waiting: Arc<AtomicUsize>,
    _delivery: Option<Arc<Delivery>>,
}

/// The other end of a link: what the connection's task works through.
pub(crate) struct Orders<T> {
    pub(crate) queue: mpsc::UnboundedReceiver<Order<T>>,
    pub(crate) destroyed: CancellationToken,
}

impl<T> Link<T> {
    /// A link and what its connection's task needs. What is written before there is a connection waits for it.
    pub(crate) fn new() -> (Link<T>, Orders<T>) {
        // Unbounded in count, bounded in bytes by MAX_WAITING.
        #[allow(clippy::disallowed_methods, reason = "bounded by MAX_WAITING bytes")]
        let (orders, queue) = mpsc::unbounded_channel();
        let destroyed = CancellationToken::new();
        let link = Link { orders, waiting: Arc::default(), destroyed: destroyed.clone() };
        (link, Orders { queue, destroyed })
    }

    /// Sends something of this many bytes for a message. On a closed connection it is lost, as in Node-RED.
    pub(crate) fn write(&self, item: T, bytes: usize, msg: &Msg) -> Result<(), LinkFull> {
        // What is empty costs a place in the queue too.
        let cost = bytes.max(64);
        let waiting = self.waiting.clone();
        if waiting.fetch_add(cost, Ordering::AcqRel) + cost > MAX_WAITING {
            waiting.fetch_sub(cost, Ordering::AcqRel);
            return Err(LinkFull);
        }
        let _ = self.orders.send(Order::Write(Write { item, cost, waiting, _delivery: msg.delivery().cloned() }));
        Ok(())
    }

    /// Says that nothing follows.
    pub(crate) fn end(&self) {
        let _ = self.orders.send(Order::End);
    }

    /// Closes once everything is sent.
    pub(crate) fn close(&self) {
        let _ = self.orders.send(Order::Close);
    }

    /// Closes at once; what waits is lost.
    pub(crate) fn destroy(&self) {
        self.destroyed.cancel();
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Link<T> {
        Link { orders: self.orders.clone(), waiting: self.waiting.clone(), destroyed: self.destroyed.clone() }
    }
}

impl<T> Drop for Write<T> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.cost, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded() {
        let (link, mut orders) = Link::new();
        assert_eq!(link.write("big", MAX_WAITING - 10, &Msg::default()), Ok(()));
        assert_eq!(link.write("more", 11, &Msg::default()), Err(LinkFull));
        assert!(matches!(orders.queue.try_recv(), Ok(Order::Write(Write { item: "big", .. }))));
        assert_eq!(link.write("big", MAX_WAITING, &Msg::default()), Ok(()));
    }
}
