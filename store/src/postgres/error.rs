//! PostgreSQL's errors in the store's words.

use std::error::Error as _;

use deadpool_postgres::PoolError;
use tokio_postgres::Error;

use crate::contract::StoreError;

/// What a PostgreSQL error means for the caller.
pub(super) fn store_error(place: &str, error: &Error) -> StoreError {
    let store = place.to_owned();
    let Some(problem) = error.as_db_error() else {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        // A password that is missing is found out by the client, not the server.
        let refused = reason.contains("password missing") || reason.contains("invalid configuration");
        return if refused { StoreError::Refused { store, reason } } else { StoreError::Unavailable { store, reason } };
    };
    let code = problem.code().code();
    let reason = format!("{} ({code})", problem.message());
    if code == "25006" {
        // After a failover this is a standby: the connection is given up, and the next goes to who may write.
        return StoreError::Unavailable { store, reason };
    }
    match &code[..2] {
        "XX" => StoreError::Corrupt { store, reason },
        // Connections, resources, deadlocks and restarts pass.
        "08" | "53" | "40" | "57" | "55" | "58" => StoreError::Unavailable { store, reason },
        _ => StoreError::Refused { store, reason },
    }
}

/// What it means that no connection was to be had.
pub(super) fn pool_error(place: &str, error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => store_error(place, error),
        _ => StoreError::Unavailable { store: place.to_owned(), reason: format!("no connection: {error}") },
    }
}
