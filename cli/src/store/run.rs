//! Exports and imports.

use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use flotilla_store::{Entry, Expect, HeldLease, Store, Write};

use super::args::{Command, StoreArgs};
use super::backup;
use crate::exit::{Exit, Failure};
use crate::plain::print;

/// Leases outlive their processes for this long at most, unless users say otherwise.
const LEASES: Duration = Duration::from_secs(12);
/// How often it is looked whether they have run out.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the subcommand.
pub async fn run(args: StoreArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Export { file, at } => export(&file, &*open(&at.store).await?).await,
        Command::Import { file, replace, at } => import(&file, replace, &*open(&at.store).await?).await,
    }
}

async fn open(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !Path::new(path).exists())
        && let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.exists()
    {
        let message = format!("--store {url}: there is no folder {}", folder.display());
        return Err(Failure::new(Exit::Usage, message).into());
    }
    flotilla_store::open(url)
        .await
        .map_err(|error| Failure::new(Exit::Unreachable, format!("cannot open the store: {error}; see --store")).into())
}

/// What outlives the processes that run now.
async fn lasting(store: &dyn Store) -> anyhow::Result<Vec<Entry>> {
    let mut entries = store.list("").await.context("cannot read the store")?;
    entries.retain(|entry| entry.expires.is_none() && !flotilla_group::is_of_a_process(&entry.key));
    Ok(entries)
}

async fn export(file: &Path, store: &dyn Store) -> anyhow::Result<ExitCode> {
    let entries = lasting(store).await?;
    if file == Path::new("-") {
        backup::write(&mut std::io::stdout().lock(), &entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Beside its place and then moved there: a file with this name is whole.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot write {}", file.display());
    let mut new = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    let mut out = BufWriter::new(&mut new);
    backup::write(&mut out, &entries)?;
    out.flush().with_context(cannot)?;
    drop(out);
    new.as_file().sync_all().with_context(cannot)?;
    new.persist(file).with_context(cannot)?;
    print(&format!("{} entries are in {}; keep the group's key with it\n", entries.len(), file.display()));
    Ok(ExitCode::SUCCESS)
}

/// A lease of a process that uses the store. Those of processes that were killed run out: that is waited for.
async fn held(store: &dyn Store) -> anyhow::Result<Option<HeldLease>> {
    let until = Instant::now() + LEASES;
    loop {
        let found = store.leases("").await.context("cannot read the store")?.into_iter().next();
        if found.is_none() || Instant::now() >= until {
            return Ok(found);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn import(file: &Path, replace: bool, store: &dyn Store) -> anyhow::Result<ExitCode> {
    let entries = if file == Path::new("-") {
        backup::read(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        backup::read(BufReader::new(opened))
    };
    let entries = entries.map_err(|error| Failure::new(Exit::Usage, format!("{}: {error:#}", file.display())))?;
    let refused = |message: String| Err(Failure::new(Exit::Refused, message).into());
    if let Some(held) = held(store).await? {
        return refused(format!(
            "processes use this store (the lease {} is held): stop the group first, for example with `flotilla down`",
            held.name
        ));
    }
    let before = store.list("").await.context("cannot read the store")?;
    if !before.is_empty() && !replace {
        return refused(format!(
            "the store holds {} entries: give an empty store, or --replace to remove them first",
            before.len()
        ));
    }
    for entry in before {
        store.delete(&entry.key, None).await.with_context(|| format!("cannot remove {}", entry.key))?;
    }
    let number = entries.len();
    for (at, (key, value)) in entries.into_iter().enumerate() {
        let wrote = store.cas(&key, Expect::Absent, Some(value), Write::default()).await;
        let again = "the store is incomplete: give --replace and import again";
        let wrote = wrote.with_context(|| format!("cannot write entry {} of {number}, {key}; {again}", at + 1))?;
        anyhow::ensure!(wrote.is_swapped(), "another process writes to this store ({key}): {again}");
    }
    print(&format!("{number} entries are in the store; start the group with the key that it had\n"));
    Ok(ExitCode::SUCCESS)
}
