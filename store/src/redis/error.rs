//! Redis' errors in the store's words.

use redis::{ErrorKind, RedisError};

use crate::contract::StoreError;

/// What the server says when it can answer later.
const LATER: [&str; 9] =
    ["LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "BUSY"];

/// What a Redis error means for the caller.
pub(super) fn store_error(place: &str, error: &RedisError) -> StoreError {
    let (store, reason) = (place.to_owned(), error.to_string());
    let refused = match error.kind() {
        ErrorKind::AuthenticationFailed => true,
        ErrorKind::Server(_) | ErrorKind::Extension => !error.code().is_some_and(|code| LATER.contains(&code)),
        _ => false,
    };
    if refused { StoreError::Refused { store, reason } } else { StoreError::Unavailable { store, reason } }
}
