//! Our schema: there, made anew, or refused.

use crate::contract::{Result, StoreError};

use super::client::Postgres;

/// The layout in `schema.sql`.
const LAYOUT: i32 = 1;

/// Makes the schema when it is not there; refuses one that is not ours.
pub(super) async fn ensure(postgres: &Postgres) -> Result<()> {
    if !exists(postgres).await? {
        create(postgres).await?;
    }
    let foreign = |reason: String| StoreError::Foreign {
        place: format!("schema \"{}\" in {}", postgres.namespace, postgres.place),
        reason,
    };
    let ours = "SELECT to_regclass('{ns}.layout') IS NOT NULL AND to_regclass('{ns}.lease') IS NOT NULL";
    if !postgres.row(ours, &[]).await?.get::<_, bool>(0) {
        return Err(foreign("it has another program's tables".to_owned()));
    }
    let layout: i32 = postgres.row("SELECT version FROM {ns}.layout", &[]).await?.get(0);
    if layout == LAYOUT {
        return Ok(());
    }
    Err(foreign(format!("it has layout {layout} and this version of Flotilla knows {LAYOUT}: upgrade Flotilla")))
}

async fn exists(postgres: &Postgres) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '{ns}')";
    Ok(postgres.row(sql, &[]).await?.get(0))
}

/// Several processes may do this at once: one makes it, the others see that it is there.
async fn create(postgres: &Postgres) -> Result<()> {
    let made = postgres.batch(include_str!("schema.sql")).await;
    match made {
        Err(_) if exists(postgres).await? => Ok(()),
        other => other,
    }
}
