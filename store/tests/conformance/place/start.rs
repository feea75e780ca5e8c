//! A place for one case.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_store::{Store, open};
use tempfile::TempDir;

use super::{Kind, Server, nats, postgres, redis};

/// A place for one case.
pub struct Place {
    pub kind: Kind,
    /// `None`: a file.
    pub server: Option<Server>,
    pub folder: TempDir,
    url: String,
}

impl Place {
    /// A fresh place; `None`, and a line that says why, when the server is not installed.
    pub fn start(kind: Kind) -> Option<Place> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let started = match kind {
            Kind::Sqlite => Ok(None),
            Kind::Redis => redis::start(folder.path()).map(Some),
            Kind::Nats => nats::start(folder.path()).map(Some),
            Kind::Postgres => postgres::start(folder.path()).map(Some),
        };
        let server = match started {
            Ok(server) => server,
            Err(reason) => {
                println!("SKIPPED {kind:?}: {reason}");
                return None;
            }
        };
        let url = match &server {
            None => format!("sqlite:{}", folder.path().join("store.db").display()),
            Some(server) => server.url.clone(),
        };
        Some(Place { kind, server, folder, url })
    }

    /// The URL, with settings after it.
    pub fn url(&self, settings: &str) -> String {
        if settings.is_empty() { self.url.clone() } else { format!("{}?{settings}", self.url) }
    }

    /// A new connection with the default settings.
    pub async fn open(&self) -> Arc<dyn Store> {
        self.open_with("").await
    }

    /// A new connection; a server that was just started may need a moment.
    pub async fn open_with(&self, settings: &str) -> Arc<dyn Store> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match open(&self.url(settings)).await {
                Ok(store) => return store,
                Err(error) if error.is_unavailable() && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{:?} does not open: {error}", self.kind),
            }
        }
    }
}
