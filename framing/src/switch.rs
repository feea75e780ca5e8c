//! What the two ends of a checked connection tell each other beside its bytes: whether it still speaks HTTP, which is known when the
//! request to upgrade it is answered, and the header lines that hyper did not read.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use http::{HeaderMap, StatusCode};

use super::long::{self, Rest};

const HTTP: u8 = 0;
const ASKED: u8 = 1;
const TUNNEL: u8 = 2;

/// Tells [`crate::Checked`] how the server answers: what follows a request to upgrade is HTTP only without 101. Tells the server the
/// headers of a request that are more than hyper takes.
#[derive(Clone, Default)]
pub struct Switch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: AtomicU8,
    reader: Mutex<Option<Waker>>,
    /// Requests that the server has got.
    came: AtomicU64,
    /// Read first, so that the lock is taken only where there is a long head.
    has_rest: AtomicBool,
    /// The lines that hyper did not read, with the number of their request. hyper reads at most one request beyond the one that is
    /// answered.
    rest: Mutex<VecDeque<(u64, Rest)>>,
}

impl Switch {
    /// The server got the next request, with these headers: those that hyper left out are put behind them. It is to be called once
    /// for each request, in their order, before anybody looks at the headers.
    pub fn complete(&self, headers: &mut HeaderMap) {
        let number = self.0.came.fetch_add(1, Ordering::Relaxed);
        if !self.0.has_rest.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.0.rest.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((of, _)) = waiting.front()
            && *of <= number
        {
            if let Some((of, rest)) = waiting.pop_front()
                && of == number
            {
                long::restore(headers, rest);
            }
        }
        self.0.has_rest.store(!waiting.is_empty(), Ordering::Release);
    }

    /// Keeps the lines that hyper does not read of the request with this number, from 0.
    pub(crate) fn keep(&self, number: u64, rest: Rest) {
        let mut waiting = self.0.rest.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((number, rest));
        self.0.has_rest.store(true, Ordering::Release);
    }

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
