//! SQLite's errors in the store's words.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::contract::StoreError;

/// What an SQLite error means for the caller.
pub(super) fn store_error(path: &Path, error: &Error) -> StoreError {
    let store = format!("sqlite ({})", path.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { store, reason: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable { store, reason: "another process held its lock until the time-out".to_owned() }
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied) => {
            StoreError::Refused { store, reason: error.to_string() }
        }
        _ => StoreError::Unavailable { store, reason: error.to_string() },
    }
}
