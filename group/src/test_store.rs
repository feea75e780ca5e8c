//! A store for a test.

use std::sync::Arc;

use flotilla_store::Store;
use tempfile::TempDir;

/// Opens the store in a folder, in which it is made the first time. Opened twice, it is one store that two processes see.
pub(crate) async fn open(folder: &TempDir) -> Arc<dyn Store> {
    flotilla_store::open(&format!("sqlite:{}", folder.path().join("s.db").display()))
        .await
        .expect("a folder to write into")
}
