//! How a client ends: drained, closed, or left to others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flotilla_engine::message::{Abandoning, Delivery};

use super::client::{CLOSE, Client, DRAIN, HOLD, RUN, Role, State};
use super::guard::Parting;

impl Client {
    /// Stops to take work and finishes what is here; `guard` is held until then. What becomes of the session says `parting`:
    /// with [`Parting::End`] it unsubscribes first, and `guard` is held until the server has nothing more to send.
    pub fn drain(&self, guard: Arc<Delivery>, parting: Parting) {
        if self.state() == State::Idle {
            return;
        }
        *self.parting.lock() = parting;
        if parting == Parting::Yield {
            return self.let_go();
        }
        let to = if parting == Parting::End { DRAIN } else { HOLD };
        let before = self.want.compare_exchange(RUN, to, Ordering::AcqRel, Ordering::Acquire);
        if before.is_ok() {
            // A server that is away sends nothing more, and would hold up the stop for all of the drain time-out. What it
            // keeps for a session goes to whoever takes that over.
            if !self.away.load(Ordering::Acquire) {
                *self.draining.lock() = Some(guard);
            }
            if to == DRAIN {
                self.subscriptions.leave();
            }
            self.wake.notify_one();
        }
    }

    /// Stops at once and leaves the session to others.
    pub fn let_go(&self) {
        *self.parting.lock() = Parting::Yield;
        self.stop();
    }

    /// What becomes of the session when the connection is closed.
    pub fn parting(&self) -> Parting {
        *self.parting.lock()
    }

    /// True when a session of its own is still at the server.
    pub fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Sends what waits (2 s at most, as Node-RED), says goodbye and stops. What is left over is given up.
    pub async fn close(&self) {
        self.stop();
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| *state == State::Idle).await;
        let _closing = Abandoning::begin();
        drop(self.draining.lock().take());
    }

    /// Gives up what was not published: its deliveries are abandoned.
    pub fn give_up(&self) {
        let unsent = self.outbox.take();
        let _closing = Abandoning::begin();
        drop(unsent);
    }

    /// It may run again after a close.
    pub fn reopen(&self) {
        self.drained.store(false, Ordering::Release);
        *self.parting.lock() = Parting::End;
        self.want.store(RUN, Ordering::Release);
    }

    pub(super) fn stop(&self) {
        self.want.store(CLOSE, Ordering::Release);
        self.wake.notify_one();
    }

    /// The server has nothing more for us.
    pub(super) fn drained(&self) {
        self.drained.store(true, Ordering::Release);
        drop(self.draining.lock().take());
        self.wake.notify_one();
    }

    /// True when the server has nothing more for it.
    pub fn has_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire)
    }

    pub(super) fn closing(&self) -> bool {
        self.want.load(Ordering::Acquire) == CLOSE
    }

    /// True when it takes no more messages: it drains, or closes.
    pub fn is_ending(&self) -> bool {
        self.want.load(Ordering::Acquire) != RUN && self.role != Role::Adopt
    }

    pub(super) fn is_draining(&self) -> bool {
        self.want.load(Ordering::Acquire) == DRAIN
    }

    pub(super) fn is_holding(&self) -> bool {
        self.want.load(Ordering::Acquire) == HOLD
    }
}
