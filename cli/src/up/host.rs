//! The host that `flotilla up` is: the agent of its own machine, for its own group.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use flotilla_api::placement::{AgentBinary, HostFacts, HostLoad};
use flotilla_group::host::{HostRegistration, Hosts};
use flotilla_group::placement::PlacementRules;
use flotilla_group::scheduler::Ledger;
use flotilla_group::sealing::KeyRing;
use flotilla_store::Store;
use flotilla_tasks::{Handle, Task};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::args::UpArgs;
use crate::crew::{Ended, Post, PostParts, Printer, Program, ReplicaCommand, Turn};
use crate::exit::Exit;
use crate::logging::LogFormat;
use crate::machine;

/// Replicas at most: more on one machine help nobody.
const MOST: u32 = 64;
/// How long it counts as living without a sign of life.
const LEASE: Duration = Duration::from_secs(10);
/// Where it is kept under which name leases are held: a new start has them again at once, as nobody else runs in the folder.
const HOLDER: &str = "host.id";

/// What a host is made from.
pub(super) struct HostParts<'a> {
    pub args: &'a UpArgs,
    pub store: Arc<dyn Store>,
    /// The store is a file in the data folder.
    pub own_store: bool,
    /// Its URL.
    pub url: String,
    pub keys: KeyRing,
    /// The broker of project links.
    pub project_broker: Option<String>,
    /// How long a replica may drain.
    pub patience: Duration,
    pub format: LogFormat,
    /// Who is told of the end of a replica's process.
    pub ended: Ended,
}

/// A host that is being run.
pub(super) struct OwnHost {
    stop: CancellationToken,
    lost: CancellationToken,
    running: Handle<Post>,
}

impl OwnHost {
    /// Takes the host's name, places what is missing, and starts what is placed there.
    pub(super) async fn start(parts: HostParts<'_>) -> anyhow::Result<OwnHost> {
        let HostParts { args, store, own_store, url, keys, project_broker, patience, format, ended } = parts;
        let program = Program::installed().context("cannot find out where this binary is")?;
        let group = args.engine.group.clone();
        let facts = HostFacts { max_replicas: Some(MOST), own_group: group.clone(), ..args.machine.facts() };
        let (host, holder) = (facts.name.clone(), holder(&args.data)?);
        let command = ReplicaCommand {
            program: program.clone(),
            args: replica_args(args, own_store.then_some(&*url), &host),
            group: group.clone(),
            keys: keys.clone(),
            store: (!own_store).then_some(url),
            project_broker,
            patience,
            ended,
        };
        let (_, binary) = watch::channel(AgentBinary::default());
        let mut post = Post::take(PostParts {
            facts,
            holder: holder.clone(),
            started_ms: machine::now_ms(),
            lease: LEASE,
            rules: PlacementRules::default(),
            command: Box::new(move |_, _| command.clone()),
            printer: Printer { format },
            binary,
            slots: Vec::new(),
            keys,
            store: store.clone(),
        })
        .await?;
        let ledger = Ledger::new(store.clone());
        if own_store {
            take_former(&store, &host, &group, &holder).await?;
        }
        ledger.keep_only(&host, &group).await?;
        post.place_and_schedule().await?;
        let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
        let task = Task {
            name: "own host",
            owner: host.as_str().into(),
            ends: "`up` stops",
            failure: "its replicas are killed and not started again; restart `flotilla up`",
        };
        let running = task.spawn(keep(post, program, stop.clone(), lost.clone()));
        Ok(OwnHost { stop, lost, running })
    }

    /// Returns when another process has the host's name; how this one is to end.
    pub(super) async fn lost(&self) -> ExitCode {
        self.lost.cancelled().await;
        Exit::LeaseLost.into()
    }

    /// Asks every replica to drain and waits for all of them; what still runs at the deadline is killed.
    pub(super) async fn leave(self, deadline: Duration) {
        self.stop.cancel();
        if let Ok(post) = self.running.await {
            post.leave(deadline).await;
        }
    }
}

/// Does what the placement document says, until `stop`.
async fn keep(mut post: Post, program: Program, stop: CancellationToken, lost: CancellationToken) -> Post {
    let turns = async {
        loop {
            if post.turn().await == Turn::Lost {
                return lost.cancel();
            }
            let followed = async {
                let placement = post.placement().await?;
                // Never another one than this process: nobody else knows the arguments that it gives them.
                post.follow(&placement, |_| Some(program.clone())).await
            };
            let how = followed.await;
            post.looked(how);
        }
    };
    tokio::select! {
        () = turns => stop.cancelled().await,
        () = stop.cancelled() => {}
    }
    post
}

/// The store is this machine's alone. An `up` that is known there under another name was this one, on a machine that had another
/// hostname, as each container has: its members stay where they are. Other hosts without an agent are of where the store was
/// before: members of this group are not waited for there.
async fn take_former(store: &Arc<dyn Store>, host: &str, group: &str, holder: &str) -> anyhow::Result<()> {
    let ledger = Ledger::new(store.clone());
    let (placement, _) = ledger.load().await?;
    let lived_in = |name: &str| placement.groups.get(group).is_some_and(|places| places.on.contains_key(name));
    for former in Hosts::new(store.clone()).list().await? {
        let (name, alive) = (former.facts.name.clone(), former.load.is_some());
        if name == host {
            continue;
        }
        if former.facts.own_group.is_empty() {
            if !alive && lived_in(&name) {
                ledger.remove_host(&name).await?;
            }
            continue;
        }
        if alive {
            // Of a process that was killed a moment ago.
            let was = HostRegistration::join(store.clone(), former.facts, holder, LEASE, HostLoad::default()).await?;
            was.leave().await;
        }
        ledger.rename_host(&name, host).await?;
    }
    Ok(())
}

/// Under which name leases of this data folder are held.
fn holder(data: &Path) -> anyhow::Result<String> {
    let file = data.join(HOLDER);
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    if !kept.trim().is_empty() {
        return Ok(kept.trim().to_owned());
    }
    let made = format!("up/{}", flotilla_engine::message::generate_id());
    std::fs::write(&file, &made).with_context(|| format!("cannot write {}; see --data", file.display()))?;
    Ok(made)
}

/// `store`: its URL, where others may see it.
fn replica_args(args: &UpArgs, store: Option<&str>, host: &str) -> Vec<String> {
    let mut command = args.engine.to_args();
    command.extend(store.into_iter().flat_map(|url| ["--store".to_owned(), url.to_owned()]));
    command.extend(["--http".to_owned(), "127.0.0.1:0".to_owned()]);
    // What replicas write is read here, and printed as one stream.
    command.extend(["--show-debug", "--log-format", "json"].map(str::to_owned));
    command.extend(["--host".to_owned(), host.to_owned()]);
    command
}
