//! What a host does for all: its signs of life, its replicas as the placement document says, its turn at placing those of all
//! hosts. `flotilla agent` has one, and so has `flotilla up`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_api::placement::{AgentBinary, HostFacts, HostLoad};
use flotilla_group::host::HostRegistration;
use flotilla_group::placement::{Placement, PlacementRules};
use flotilla_group::scheduler::{Ledger, Scheduler};
use flotilla_group::sealing::KeyRing;
use flotilla_group::{Changes, GroupError};
use flotilla_store::Store;
use flotilla_tasks::{Handle, Task};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::command::Program;
use super::crew::{CommandOf, Crew};
use super::heart::Heart;
use super::printer::Printer;
use super::slot::Slot;
use crate::machine;

/// How often it is asked whether the lease of a process that died is over.
const ASK: Duration = Duration::from_millis(250);
/// How long the lease of a scheduler that died holds up the next one.
const SCHEDULER_LEASE: Duration = Duration::from_secs(5);

/// What a post is made of.
pub struct PostParts {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The groups' keys.
    pub keys: KeyRing,
    /// What is said of the host.
    pub facts: HostFacts,
    /// What its leases are held under; the same process takes them again.
    pub holder: String,
    /// When the process started first, milliseconds since the epoch.
    pub started_ms: u64,
    /// How long the lease on the host's name runs.
    pub lease: Duration,
    /// By which rules members are moved.
    pub rules: PlacementRules,
    /// How replicas are started.
    pub command: CommandOf,
    /// How their lines are printed.
    pub printer: Printer,
    /// What is said of the binaries of this machine.
    pub binary: watch::Receiver<AgentBinary>,
    /// What the image of this process before handed over.
    pub slots: Vec<(String, u64, Slot)>,
}

/// A host's post, from taking its name until `leave`.
pub struct Post {
    crew: Crew,
    heart: Heart,
    host: String,
    holder: String,
    store: Arc<dyn Store>,
    rules: PlacementRules,
    scheduling: Option<(CancellationToken, Handle<()>)>,
    changes: Changes,
    ledger: Ledger,
    /// The last look failed, which is logged once.
    failing: bool,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Look what is placed here.
    Look,
    /// Leave: another process has the host's name.
    Lost,
}

impl Post {
    /// Takes the host's name; nothing is placed yet. A process that died holds the name until its lease is over; one that lives
    /// goes on to hold it.
    ///
    /// # Errors
    /// [`GroupError::HostTaken`], or what the store said.
    pub async fn take(parts: PostParts) -> Result<Post, GroupError> {
        let PostParts { store, keys, facts, holder, started_ms, lease, rules, command, printer, binary, slots } = parts;
        let host = facts.name.clone();
        let load = HostLoad { binary: binary.borrow().clone(), key: keys.next_start(), ..machine::load(started_ms) };
        let registration = join(&store, facts, &holder, lease, &load).await?;
        Ok(Post {
            crew: Crew::new(store.clone(), &host, printer, command, slots),
            heart: Heart::start(registration, &host, lease, started_ms, binary, keys),
            holder,
            rules,
            scheduling: None,
            changes: Changes::new(store.clone(), vec![Ledger::key()]),
            ledger: Ledger::new(store.clone()),
            failing: false,
            store,
            host,
        })
    }

    /// Places what is missing now, unless another process places replicas, and takes its turns from then on.
    ///
    /// # Errors
    /// What the store said.
    pub async fn place_and_schedule(&mut self) -> Result<(), GroupError> {
        let mut scheduler = self.scheduler();
        scheduler.place_now().await?;
        self.run(scheduler);
        Ok(())
    }

    /// Takes its turns at placing replicas.
    pub fn schedule(&mut self) {
        let scheduler = self.scheduler();
        self.run(scheduler);
    }

    fn scheduler(&self) -> Scheduler {
        Scheduler::new(self.store.clone(), &self.holder, SCHEDULER_LEASE, self.rules)
    }

    fn run(&mut self, scheduler: Scheduler) {
        let (stop, judges) = (CancellationToken::new(), self.heart.may_judge.clone());
        let task = Task {
            name: "scheduler",
            owner: self.host.as_str().into(),
            ends: "this process ends",
            failure: "this process places no replicas any more, those on other hosts do; restart it",
        };
        self.scheduling = Some((stop.clone(), task.spawn(scheduler.run(judges, stop))));
    }

    /// Takes no turns any more.
    pub async fn schedule_no_more(&mut self) {
        if let Some((stop, scheduling)) = self.scheduling.take() {
            stop.cancel();
            let _ = scheduling.await;
        }
    }

    /// Waits until there is something to do. Dropping the future loses nothing.
    pub async fn turn(&mut self) -> Turn {
        tokio::select! {
            _ = self.changes.next() => {}
            Some(member) = self.crew.ends.recv() => self.crew.ended(&member),
            () = self.heart.lost.cancelled() => return Turn::Lost,
        }
        Turn::Look
    }

    /// Who is where.
    ///
    /// # Errors
    /// What the store said.
    pub async fn placement(&self) -> Result<Placement, GroupError> {
        Ok(self.ledger.load().await?.0)
    }

    /// Starts and stops what is placed here. `program`: a binary by its hash, once it is there.
    ///
    /// # Errors
    /// What the store said.
    pub async fn follow(
        &mut self,
        placement: &Placement,
        program: impl Fn(&str) -> Option<Program>,
    ) -> Result<(), GroupError> {
        self.crew.follow(placement, program).await
    }

    /// Takes note of how a look went: it is looked again soon after one that failed.
    pub fn looked(&mut self, how: Result<(), GroupError>) {
        let Err(error) = how else {
            self.failing = false;
            return;
        };
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%error, "cannot ask what is placed on this host; its replicas keep running");
        }
        self.changes.look_again();
    }

    /// What runs, to be handed over; `None` while one of them is stopped: its end is waited for.
    pub fn slots(&self) -> Option<Vec<(String, u64, Slot)>> {
        self.crew.slots()
    }

    /// How many replicas run.
    pub fn size(&self) -> usize {
        self.crew.size()
    }

    /// Has the replicas drain, and gives the host's name back. What still runs at the deadline is killed.
    pub async fn leave(mut self, deadline: Duration) {
        self.schedule_no_more().await;
        self.crew.shutdown(deadline).await;
        self.heart.leave().await;
    }
}

async fn join(
    store: &Arc<dyn Store>,
    facts: HostFacts,
    holder: &str,
    ttl: Duration,
    load: &HostLoad,
) -> Result<HostRegistration, GroupError> {
    let deadline = Instant::now() + 2 * ttl;
    loop {
        match HostRegistration::join(store.clone(), facts.clone(), holder, ttl, load.clone()).await {
            Err(GroupError::HostTaken { .. }) if Instant::now() < deadline => tokio::time::sleep(ASK).await,
            joined => return joined,
        }
    }
}
