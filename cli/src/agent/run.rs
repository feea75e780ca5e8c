//! The agent's life: takes the host's name, follows the placement document, drains, leaves.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use flotilla_api::placement::HostFacts;
use flotilla_group::host::HostRegistration;
use flotilla_group::placement::PlacementRules;
use flotilla_group::scheduler::{Ledger, Scheduler};
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_group::{Changes, GroupError};
use flotilla_store::Store;
use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use super::args::AgentArgs;
use super::beat::Heart;
use super::crew::Crew;
use crate::exit::Exit;
use crate::group_key::old_key;
use crate::logging::LogFormat;
use crate::machine;
use crate::process::{Metrics, Ops, READY, Readiness, STOPPING, Shutdown, notify};
use crate::up::{Printer, ReplicaCommand};

/// How much longer than its own drain time-out a replica gets before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is asked whether the lease of an agent that died is over.
const ASK: Duration = Duration::from_millis(250);
/// How long the lease of a scheduler that died holds up the next one.
const SCHEDULER_LEASE: Duration = Duration::from_secs(5);

/// Runs until a signal; then the replicas of this host drain.
pub async fn run(args: AgentArgs, log_format: LogFormat) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    let started_ms = machine::now_ms();
    let drain =
        Duration::try_from_secs_f64(args.engine.drain_timeout).context("--drain-timeout must be 0 or more seconds")?;
    let readiness = Readiness::default();
    readiness.waiting("host", "its name is not taken yet");
    let ops = Ops::start(args.ops, readiness.clone(), Metrics::install()?, axum::Router::new()).await?;
    let store = flotilla_store::open(&args.at.store).await.context("cannot open the store; see --store")?;
    let keys = KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given);
    keys.keys().await.map_err(old_key)?;
    let facts = args.facts();
    let host = facts.name.clone();
    let holder = format!("agent {host}/{started_ms}/{}", flotilla_engine::message::generate_id());
    let registration = tokio::select! {
        joined = join(&store, facts, &holder, args.lease()) => joined?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    let heart = Heart::start(registration, &host, args.lease(), started_ms);
    let stop = CancellationToken::new();
    let rules = PlacementRules { replace_after_ms: args.replace_after * 1000, ..PlacementRules::default() };
    let scheduler = Scheduler::new(store.clone(), &holder, SCHEDULER_LEASE, rules);
    let task = Task {
        name: "scheduler",
        owner: host.as_str().into(),
        ends: "the agent ends",
        failure: "this agent places no replicas any more, the others do; restart it",
    };
    let scheduling = task.spawn(scheduler.run(heart.may_judge.clone(), stop.clone()));
    let mut crew =
        Crew::new(store.clone(), &host, Printer { format: log_format }, command(&args, &store, &host, drain + GRACE));
    readiness.ready("host");
    notify(READY);
    tracing::info!(host, ops = %ops.address(), "agent runs: replicas that are placed on this host are started");
    let mut changes = Changes::new(store.clone(), vec![Ledger::key()]);
    let ledger = Ledger::new(store);
    let code = loop {
        tokio::select! {
            _ = changes.next() => {}
            Some(member) = crew.ends.recv() => crew.ended(&member),
            () = signals.next() => break ExitCode::SUCCESS,
            () = heart.lost.cancelled() => break Exit::LeaseLost.into(),
        }
        let followed = async {
            let (placement, _) = ledger.load().await?;
            crew.follow(&placement).await
        };
        if let Err(error) = followed.await {
            tracing::warn!(%error, "cannot ask what is placed on this host; what runs goes on");
            changes.look_again();
        }
    };
    notify(STOPPING);
    tracing::info!(replicas = crew.size(), "drains; Ctrl-C again stops at once");
    stop.cancel();
    let leave = async {
        let _ = scheduling.await;
        crew.shutdown(drain + 2 * GRACE).await;
        heart.leave().await;
    };
    tokio::select! {
        () = leave => {}
        () = signals.next() => tracing::warn!("asked twice: stops at once"),
    }
    Ok(code)
}

/// Takes the host's name. An agent that died holds it until its lease is over; one that lives goes on to hold it.
async fn join(
    store: &Arc<dyn Store>,
    facts: HostFacts,
    holder: &str,
    ttl: Duration,
) -> anyhow::Result<HostRegistration> {
    let deadline = Instant::now() + 2 * ttl;
    loop {
        match HostRegistration::join(store.clone(), facts.clone(), holder, ttl).await {
            Err(GroupError::HostTaken { .. }) if Instant::now() < deadline => tokio::time::sleep(ASK).await,
            joined => return Ok(joined?),
        }
    }
}

/// How replicas are started.
fn command(
    args: &AgentArgs,
    store: &Arc<dyn Store>,
    host: &str,
    patience: Duration,
) -> impl Fn(&str) -> ReplicaCommand + Send + Sync + 'static {
    let (args, store, host) = (args.clone(), store.clone(), host.to_owned());
    move |group| {
        let mut engine = args.engine.clone();
        group.clone_into(&mut engine.group);
        let mut command = engine.to_args();
        command.extend(["--http".to_owned(), args.http.to_string(), "--host".to_owned(), host.clone()]);
        // Gateways on other machines ask replicas for their logs, nodes and contexts there.
        command.extend(["--ops".to_owned(), SocketAddr::new(args.http.ip(), 0).to_string()]);
        if let Some(network) = args.advertise {
            command.extend(["--advertise".to_owned(), network.to_string()]);
        }
        // This process has the key that it was given and looks for no newer one: its replicas do, and say with which they
        // are started again.
        command.push("--given-key".to_owned());
        // What replicas write is read here, and printed as one stream.
        command.extend(["--show-debug", "--log-format", "json"].map(str::to_owned));
        ReplicaCommand {
            args: command,
            group: group.to_owned(),
            keys: KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given),
            store: Some(args.at.store.clone()),
            patience,
        }
    }
}
