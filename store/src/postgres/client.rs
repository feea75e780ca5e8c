//! Connections to the server.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::contract::{Result, StoreError};
use crate::tls::client_config;
use crate::url::{NetUrl, bad_url};

use super::error::{pool_error, store_error};

/// How many calls go on at once; more wait for their turn.
const CONNECTIONS: usize = 8;

/// Connections to the server.
#[derive(Clone)]
pub(super) struct Postgres {
    pool: Pool,
    config: Config,
    tls: MakeRustlsConnect,
    pub(super) namespace: String,
    pub(super) place: String,
    pub(super) timeout: Duration,
}

/// A pooled connection. When a call is given up in the middle it is closed: nobody knows whether it still answers.
struct Borrowed {
    connection: Option<Object>,
    done: bool,
}

impl Postgres {
    /// Prepares connections; makes none yet.
    pub(super) fn new(url: &NetUrl) -> Result<Postgres> {
        let user = url.user.as_deref().ok_or_else(|| {
            bad_url(
                "user",
                "",
                "it is missing: write postgres://USER:PASSWORD@HOST/DATABASE or set FLOTILLA_STORE_USER",
            )
        })?;
        let mut config = Config::new();
        config.host(&url.host).port(url.port).user(user).application_name("flotilla");
        for (host, port) in &url.others {
            config.host(host).port(*port);
        }
        if !url.others.is_empty() {
            // Of several hosts the one that may write.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        config.dbname(if url.path.is_empty() { user } else { &url.path });
        config.connect_timeout(url.timeout).tcp_user_timeout(url.timeout * 2);
        config.ssl_mode(if url.tls { SslMode::Require } else { SslMode::Disable });
        // An acknowledged write is on disk, whatever the server's default says.
        config.options("-c synchronous_commit=on");
        if let Some(password) = &url.password {
            config.password(password.reveal());
        }
        let place = url.place("postgres");
        let tls = MakeRustlsConnect::new(client_config(url)?);
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config.clone(), tls.clone(), fast)).max_size(CONNECTIONS).build();
        let pool = pool.map_err(|error| bad_url("address", &url.host, error.to_string()))?;
        Ok(Postgres { pool, config, tls, namespace: url.namespace.clone(), place, timeout: url.timeout })
    }

    /// Runs a statement (`{ns}` is the schema); answers its rows.
    pub(super) async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let mut borrowed = self.borrow().await?;
        let connection = borrowed.get();
        let failed = |error: tokio_postgres::Error| store_error(&self.place, &error);
        let statement = connection.prepare_cached(&self.sql(sql)).await.map_err(failed)?;
        let rows = connection.query(&statement, params).await.map_err(failed)?;
        borrowed.done = true;
        Ok(rows)
    }

    /// Runs a statement that answers exactly one row.
    pub(super) async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row> {
        self.rows(sql, params).await?.pop().ok_or_else(|| self.corrupt("a function that answers nothing"))
    }

    /// Runs several statements as one transaction.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        let mut borrowed = self.borrow().await?;
        let done = borrowed.get().batch_execute(&self.sql(sql)).await;
        done.map_err(|error| store_error(&self.place, &error))?;
        borrowed.done = true;
        Ok(())
    }

    /// A connection of its own, for notifications.
    pub(super) async fn connect(
        &self,
    ) -> Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<
            tokio_postgres::Socket,
            <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
        >,
    )> {
        self.config.connect(self.tls.clone()).await.map_err(|error| store_error(&self.place, &error))
    }

    /// Something that should not be.
    pub(super) fn corrupt(&self, found: &str) -> StoreError {
        StoreError::Corrupt { store: self.place.clone(), reason: format!("it has {found}") }
    }

    fn sql(&self, sql: &str) -> String {
        sql.replace("{ns}", &self.namespace)
    }

    async fn borrow(&self) -> Result<Borrowed> {
        let connection = self.pool.get().await.map_err(|error| pool_error(&self.place, &error))?;
        Ok(Borrowed { connection: Some(connection), done: false })
    }
}

impl Borrowed {
    fn get(&self) -> &Object {
        self.connection.as_ref().expect("it is taken only when dropped")
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| !self.done) {
            drop(Object::take(connection));
        }
    }
}
