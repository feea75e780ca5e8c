//! Whose log lines these are.

use std::sync::{LazyLock, PoisonError, RwLock};

/// What each line of this process says about the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The group.
    pub group: String,
    /// The replica's id; `up` or `gateway` for these.
    pub replica: String,
    /// The revision that runs.
    pub revision: String,
}

static WHO: LazyLock<RwLock<Who>> = LazyLock::new(RwLock::default);

/// What is said now.
pub(super) fn who() -> Who {
    WHO.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// From now on lines say this.
pub fn set_who(change: impl FnOnce(&mut Who)) {
    change(&mut WHO.write().unwrap_or_else(PoisonError::into_inner));
}
