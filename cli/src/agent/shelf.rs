//! The binaries that this machine has: got from the store, checked, and kept in a folder.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use flotilla_api::placement::{AgentBinary, RefusedBinary, Upgrade, binary_name};
use flotilla_group::GroupError;
use flotilla_group::binary::Binaries;
use flotilla_group::placement::Placement;
use flotilla_group::sealing::KeyRing;
use flotilla_store::Store;
use flotilla_tasks::Task;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::check::check;
use crate::crew::Program;

/// A binary that could not be used, or not be got, is tried again after so long.
const AGAIN: Duration = Duration::from_secs(10);

/// The binaries that this machine has.
pub(super) struct Shelf {
    binaries: Binaries,
    keys: KeyRing,
    folder: PathBuf,
    installed: Program,
    /// The one that this process is.
    own: String,
    known: Arc<Mutex<HashMap<String, Known>>>,
    /// Counts what becomes known.
    changes: watch::Sender<u64>,
    seen: watch::Receiver<u64>,
    said: watch::Sender<AgentBinary>,
}

#[derive(Clone)]
enum Known {
    /// It is on its way.
    Coming,
    /// It starts here.
    There(PathBuf),
    /// It cannot be used. It is tried again after a while, when it is still wanted.
    Refused(String, Instant),
    /// The store does not answer; it is tried again.
    Away(Instant),
}

impl Shelf {
    /// A shelf, and what is said of it.
    pub(super) fn new(
        data: &Path,
        store: Arc<dyn Store>,
        keys: KeyRing,
        installed: Program,
    ) -> (Shelf, watch::Receiver<AgentBinary>) {
        let own = Program::own_hash();
        let (said, told) = watch::channel(AgentBinary { runs: own.clone(), ..AgentBinary::default() });
        let (changes, seen) = watch::channel(0);
        let known = Arc::new(Mutex::new(HashMap::new()));
        if !own.is_empty()
            && let Ok(path) = std::env::current_exe()
        {
            known.lock().insert(own.clone(), Known::There(path));
        }
        let folder = data.join("binaries");
        let shelf = Shelf { binaries: Binaries::new(store), keys, folder, installed, own, known, changes, seen, said };
        shelf.say();
        (shelf, told)
    }

    /// Returns when a binary has come, was refused, or is to be tried again.
    pub(super) async fn changed(&mut self) {
        let _ = self.seen.changed().await;
    }

    /// Gets what is to be had here.
    pub(super) fn stage(&self, placement: &Placement, host: &str) {
        let members = placement.groups.iter().filter_map(|(group, places)| Some((group, places.on.get(host)?)));
        let mut wanted: Vec<&str> =
            members.flat_map(|(group, on)| on.iter().map(|number| placement.binary_of(group, *number))).collect();
        wanted.push(placement.binary_of_agent(host));
        wanted.extend(placement.binary_to_stage(host));
        wanted.sort_unstable();
        wanted.dedup();
        for sha256 in wanted.iter().filter(|sha256| !sha256.is_empty()) {
            self.get(sha256);
        }
        self.forget(placement, &wanted);
    }

    /// A binary, if it is there. One that cannot be used here, and that nobody tries any more, gives way to the installed one:
    /// a replica with that is better than none.
    pub(super) fn program(&self, placement: &Placement, sha256: &str) -> Option<Program> {
        let tried = placement.upgrade.as_ref().is_some_and(Upgrade::is_active);
        let refused = matches!(self.known.lock().get(sha256), Some(Known::Refused(..)));
        self.there(if refused && !tried { "" } else { sha256 })
    }

    fn there(&self, sha256: &str) -> Option<Program> {
        if sha256.is_empty() {
            return Some(self.installed.clone());
        }
        match self.known.lock().get(sha256) {
            Some(Known::There(path)) => Some(Program { path: path.clone(), sha256: sha256.to_owned() }),
            _ => None,
        }
    }

    /// Says that a binary cannot be used.
    pub(super) fn refuse(&self, sha256: &str, why: &str) {
        tracing::error!("the binary {} cannot be used here: {why}", binary_name(sha256));
        self.known.lock().insert(sha256.to_owned(), Known::Refused(why.to_owned(), Instant::now()));
        self.say();
    }

    /// The binary that this agent is to become, once it is there.
    pub(super) fn next(&self, placement: &Placement, host: &str) -> Option<Program> {
        let wanted = placement.binary_of_agent(host);
        let refused = matches!(self.known.lock().get(wanted), Some(Known::Refused(_, at)) if at.elapsed() < AGAIN);
        if wanted == self.own || refused { None } else { self.there(wanted) }
    }

    /// Gets a binary, unless it is there, on its way, or was refused a moment ago.
    fn get(&self, sha256: &str) {
        let mut known = self.known.lock();
        match known.get(sha256) {
            Some(Known::Coming | Known::There(_)) => return,
            Some(Known::Refused(_, at) | Known::Away(at)) if at.elapsed() < AGAIN => return,
            _ => {}
        }
        known.insert(sha256.to_owned(), Known::Coming);
        drop(known);
        let task = Task {
            name: "binary",
            owner: binary_name(sha256).to_owned().into(),
            ends: "it is there, or cannot be used",
            failure: "this host does not get the binary; restart `flotilla agent`",
        };
        let (binaries, keys, sha256) = (self.binaries.clone(), self.keys.clone(), sha256.to_owned());
        let (folder, known, changes) = (self.folder.clone(), self.known.clone(), self.changes.clone());
        let said = self.said.clone();
        drop(task.spawn(async move {
            let got = match get(&binaries, &keys, &folder, &sha256).await {
                Ok(path) => Known::There(path),
                Err(error) if is_away(&error) => {
                    tracing::warn!("cannot get the binary {}: {error:#}", binary_name(&sha256));
                    Known::Away(Instant::now())
                }
                Err(error) => {
                    let why = crate::plain::one_line(&format!("{error:#}")).into_owned();
                    tracing::error!("the binary {} cannot be used here: {why}", binary_name(&sha256));
                    Known::Refused(why, Instant::now())
                }
            };
            let again = matches!(got, Known::Refused(..) | Known::Away(_));
            known.lock().insert(sha256, got);
            say(&known, &said);
            changes.send_modify(|count| *count += 1);
            if again {
                tokio::time::sleep(AGAIN).await;
                changes.send_modify(|count| *count += 1);
            }
        }));
    }

    /// Throws away what nobody runs here any more.
    fn forget(&self, placement: &Placement, wanted: &[&str]) {
        let upgrade = placement.upgrade.iter().flat_map(|upgrade| [&upgrade.from, &upgrade.to]);
        let kept: Vec<&String> = upgrade.chain([&placement.binary, &self.own]).collect();
        let mut known = self.known.lock();
        let before = known.len();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            // Of a process before this one.
            let name = entry.file_name().to_string_lossy().into_owned();
            if !kept.contains(&&name) && !wanted.contains(&&*name) && !known.contains_key(&name) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        known.retain(|sha256, state| {
            // Nobody gets what is installed, so that nothing else ends its refusal.
            let over = sha256.is_empty() && matches!(state, Known::Refused(_, at) if at.elapsed() >= AGAIN);
            let used = matches!(state, Known::Coming) || kept.contains(&sha256) || wanted.contains(&&**sha256);
            let keep = used && !over;
            if !keep && matches!(state, Known::There(_)) {
                let _ = std::fs::remove_dir_all(self.folder.join(sha256));
            }
            keep
        });
        let changed = known.len() != before;
        drop(known);
        if changed {
            self.say();
        }
    }

    fn say(&self) {
        say(&self.known, &self.said);
    }
}

/// Tells the heart what is there.
fn say(known: &Mutex<HashMap<String, Known>>, said: &watch::Sender<AgentBinary>) {
    let known = known.lock();
    let there = known.iter().filter(|(_, state)| matches!(state, Known::There(_))).map(|(sha256, _)| sha256.clone());
    let mut staged: Vec<String> = there.chain([String::new()]).collect();
    staged.sort_unstable();
    let refusals = known.iter().filter_map(|(sha256, state)| match state {
        Known::Refused(why, at) => Some((*at, sha256, why)),
        _ => None,
    });
    let last = refusals.max_by_key(|(at, ..)| *at);
    let refused = last.map(|(_, sha256, why)| RefusedBinary { sha256: sha256.clone(), why: why.clone() });
    said.send_modify(|said| (said.staged, said.refused) = (staged, refused));
}

/// True when trying again may help.
fn is_away(error: &anyhow::Error) -> bool {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<GroupError>());
    matches!(cause, Some(GroupError::Store(error)) if error.is_unavailable())
}

/// Gets a binary into the folder and looks whether it starts.
async fn get(binaries: &Binaries, keys: &KeyRing, folder: &Path, sha256: &str) -> anyhow::Result<PathBuf> {
    let folder = folder.join(sha256);
    let path = std::path::absolute(folder.join("flotilla"))?;
    make_private(&folder)?;
    // Also one that is there already may have been changed, or be of an agent that was killed while it wrote.
    let beside = folder.join(format!("flotilla-{}.new", std::process::id()));
    let written = write(binaries, keys, &beside, sha256).await;
    let moved = written.and_then(|()| std::fs::rename(&beside, &path).context("cannot rename it"));
    if moved.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    moved?;
    check(&path).await?;
    Ok(path)
}

async fn write(binaries: &Binaries, keys: &KeyRing, file: &Path, sha256: &str) -> anyhow::Result<()> {
    let key = keys.keys().await?.context(
        "this agent does not have the group's key, and runs only binaries that are signed with it: set FLOTILLA_GROUP_KEY",
    )?;
    let mut into = std::fs::OpenOptions::new();
    let into = into.write(true).create(true).truncate(true).mode(0o700).open(file);
    let mut into: File = into.with_context(|| format!("cannot write {}: see --data", file.display()))?;
    binaries.fetch(sha256, &key, &mut into).await?;
    into.sync_all().with_context(|| format!("cannot write {}", file.display()))
}

/// Makes the folder and `binaries` above it, for this user alone: who else may write there could change a checked binary.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let failed = |what: &Path| format!("cannot make the folder {} private: see --data", what.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| failed(folder))?;
    for one in folder.ancestors().take(2) {
        let found = std::fs::symlink_metadata(one).with_context(|| failed(one))?;
        let is_own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
        anyhow::ensure!(is_own, "{}: it belongs to another user", failed(one));
        std::fs::set_permissions(one, std::fs::Permissions::from_mode(0o700)).with_context(|| failed(one))?;
    }
    Ok(())
}
