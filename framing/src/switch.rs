//! Whether a connection still speaks HTTP: known when the request to upgrade it is answered.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use http::StatusCode;

const HTTP: u8 = 0;
const ASKED: u8 = 1;
const TUNNEL: u8 = 2;

/// Tells [`crate::Checked`] how the server answers: what follows a request to upgrade is HTTP only without 101.
#[derive(Clone, Default)]
pub struct Switch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: AtomicU8,
    reader: Mutex<Option<Waker>>,
}

impl Switch {
    /// The server answers the request that it is at with this status.
    pub fn answered(&self, status: StatusCode) {
        if self.0.state.load(Ordering::Acquire) != ASKED {
            return;
        }
        let next = if status == StatusCode::SWITCHING_PROTOCOLS { TUNNEL } else { HTTP };
        self.0.state.store(next, Ordering::Release);
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(crate) fn asked(&self) {
        self.0.state.store(ASKED, Ordering::Release);
    }

    /// True while it is not known how what comes is to be read; `reader` is woken when it is.
    pub(crate) fn is_open(&self, reader: &Waker) -> bool {
        // First the waker: an answer in between would wake nobody.
        *self.0.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader.clone());
        self.0.state.load(Ordering::Acquire) == ASKED
    }

    pub(crate) fn is_tunnel(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == TUNNEL
    }
}
