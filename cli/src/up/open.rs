//! What a run finds or makes first: the data folder, the group's key and the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_store::{Metered, Store};

use super::args::UpArgs;
use crate::exit::{Exit, Failure};
use crate::group_key;
use crate::place::FolderLock;

/// What becomes of a data folder, a key or a store's file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is made.
    Made,
    /// Nothing is made: without it there is nothing to do.
    Refused,
}

/// What a run has to itself until it is dropped.
pub(super) struct Opened {
    /// The lock on the data folder.
    pub(super) held: FolderLock,
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: KeyRing,
    /// They, as text.
    pub(super) key: Arc<str>,
    /// The store's URL. It may have a password in it.
    pub(super) url: String,
    /// The store's file, where it is one of the data folder.
    pub(super) path: PathBuf,
}

/// Takes the data folder and opens the store with the group's key.
///
/// # Errors
/// [`Exit::NotFound`] for what is not there and is not to be made; when another process has the folder; when the store cannot be
/// opened, or the key is out of use.
pub(super) async fn open(args: &UpArgs, missing: Missing) -> anyhow::Result<Opened> {
    let path = args.data.join("store.db");
    match missing {
        Missing::Made => create_private_dir(&args.data)?,
        Missing::Refused if args.store.is_none() && !path.is_file() => {
            let why = format!("there is no {}, so no run has left a session: see --data", path.display());
            return Err(Failure::new(Exit::NotFound, why).into());
        }
        Missing::Refused => {}
    }
    let held = FolderLock::take(&args.data)?;
    let (key, restart) = match std::env::var("FLOTILLA_GROUP_KEY") {
        Ok(key) => (key, Restart::Given),
        Err(_) => {
            let file = args.data.join("group.key");
            if missing == Missing::Refused && !file.is_file() {
                let why = format!("there is no {}: see --data, or set FLOTILLA_GROUP_KEY", file.display());
                return Err(Failure::new(Exit::NotFound, why).into());
            }
            (group_key::load_or_make(&file)?, Restart::File(file))
        }
    };
    let url = args.store.clone().unwrap_or_else(|| format!("sqlite:{}", path.display()));
    let store = flotilla_store::open(&url).await.with_context(|| match &args.store {
        Some(_) => "cannot open the store; see --store".to_owned(),
        None => format!("cannot open the store {}; see --data", path.display()),
    })?;
    if args.store.is_none() {
        make_private(&path)?;
    }
    let store = Metered::over(store);
    let keys = KeyRing::new(store.clone(), Some(&key), restart);
    let key = keys.keys().await.map_err(group_key::old_key)?.unwrap_or_default();
    Ok(Opened { held, store, keys, key, url, path })
}

/// The store holds flows and credentials: nobody else on the machine is to read it.
fn create_private_dir(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the folder {}; see --data", path.display()))
}

/// A store that an earlier version made may be readable for others.
fn make_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let name = path.display();
    for suffix in ["", "-wal", "-shm"] {
        let file = Path::new(&format!("{name}{suffix}")).to_owned();
        if file.exists() {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))
                .with_context(|| format!("cannot make {} private", file.display()))?;
        }
    }
    Ok(())
}
