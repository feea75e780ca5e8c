//! How the rooms of the broker name each other's things without knowing them.

use std::time::Instant;

/// Index of a session in the router.
pub type SessionKey = usize;

/// Index of a share group in the router.
pub type GroupKey = usize;

/// A timer of the router that is set: when, and a number that tells apart those of one moment.
pub type TimerKey = (Instant, u64);
