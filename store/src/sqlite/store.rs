//! SQLite as a [`Store`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flotilla_tasks::Task;

use crate::contract::{
    Acquire, BlockingStore, Cas, Entry, Expect, Fence, HeldLease, Lease, MAX_VALUE, Moment, Result, Store, StoreError,
    Watch, Write, check_key, check_value,
};
use crate::url::{bad_url, take_params};
use crate::watch::Hub;

use super::file::File;
use super::{lease, ops, watch};

/// A store in a file.
struct SqliteStore {
    file: Arc<File>,
    hub: Arc<Hub>,
}

/// Opens `sqlite:PATH`.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(bad_url("path", path, "name a file that the replicas share, such as sqlite:flotilla.db"));
    }
    let params = take_params(
        query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, ""))),
    )?;
    if let Some((name, _)) = params.rest.first() {
        return Err(bad_url("setting", name, "sqlite does not know it: it takes timeout"));
    }
    let path = PathBuf::from(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(bad_url("path", path.display().to_string(), format!("there is no folder {}", folder.display())));
    }
    let file = run(move || File::open(path, params.timeout)).await?;
    Ok(Arc::new(SqliteStore { file: Arc::new(file), hub: Arc::default() }))
}

/// Runs on a thread that may wait: another process may hold the file's lock until the time-out.
async fn run<R: Send + 'static>(f: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    let task = Task {
        name: "sqlite call",
        owner: "store".into(),
        ends: "the file has answered",
        failure: "the call fails as if the store were away",
    };
    task.spawn_blocking(f).await.unwrap_or_else(|error| {
        Err(StoreError::Unavailable { store: "sqlite".to_owned(), reason: format!("the call was stopped: {error}") })
    })
}

#[async_trait]
impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn blocking(&self) -> &dyn BlockingStore {
        &*self.file
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let (file, key) = (self.file.clone(), key.to_owned());
        run(move || BlockingStore::get(&*file, &key)).await
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let (file, key) = (self.file.clone(), key.to_owned());
        run(move || BlockingStore::set(&*file, &key, value, write)).await
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let (file, key) = (self.file.clone(), key.to_owned());
        run(move || BlockingStore::delete(&*file, &key, fence)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let (file, prefix) = (self.file.clone(), prefix.to_owned());
        run(move || BlockingStore::list(&*file, &prefix)).await
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let (file, key) = (self.file.clone(), key.to_owned());
        run(move || BlockingStore::cas(&*file, &key, expected, new, write)).await
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let (file, key) = (self.file.clone(), key.to_owned());
        run(move || BlockingStore::incr(&*file, &key, by)).await
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Result<Acquire> {
        let asked = Moment::now();
        check_key(name)?;
        let (file, name, holder) = (self.file.clone(), name.to_owned(), holder.to_owned());
        run(move || file.write(|tx| lease::acquire(tx, &name, &holder, ttl, asked))).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease> {
        let asked = Moment::now();
        let (file, lease) = (self.file.clone(), lease.clone());
        run(move || file.write(|tx| lease::renew(tx, &lease, asked))).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        let (file, lease) = (self.file.clone(), lease.clone());
        run(move || file.write(|tx| lease::release(tx, &lease))).await
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        let (file, prefix) = (self.file.clone(), prefix.to_owned());
        run(move || file.read(|connection| lease::leases(connection, &prefix))).await
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        let (hub, file, prefix) = (self.hub.clone(), self.file.clone(), prefix.to_owned());
        run(move || watch::watch(&hub, &file, &prefix)).await
    }

    async fn now(&self) -> Result<SystemTime> {
        Ok(SystemTime::now())
    }
}

impl BlockingStore for File {
    fn get(&self, key: &str) -> Result<Option<Entry>> {
        check_key(key)?;
        self.read(|connection| ops::get(connection, key))
    }

    fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        check_key(key)?;
        check_value(key, &value, MAX_VALUE, "sqlite")?;
        self.write(|tx| ops::set(tx, key, &value, &write))
    }

    fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        check_key(key)?;
        self.write(|tx| {
            lease::check(tx, fence.as_ref())?;
            ops::delete(tx, key)
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.read(|connection| ops::list(connection, prefix))
    }

    fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        check_key(key)?;
        check_value(key, new.as_deref().unwrap_or_default(), MAX_VALUE, "sqlite")?;
        self.write(|tx| ops::cas(tx, key, &expected, new.as_deref(), &write))
    }

    fn incr(&self, key: &str, by: f64) -> Result<f64> {
        check_key(key)?;
        self.write(|tx| ops::incr(tx, key, by))
    }
}
