//! The group's clock is the store's: processes on several machines agree on it.

use std::time::UNIX_EPOCH;

use flotilla_store::Store;

use crate::error::GroupError;

/// The store's time, in milliseconds since the epoch.
pub(crate) async fn now_ms(store: &dyn Store) -> Result<u64, GroupError> {
    Ok(store.now().await?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64))
}
