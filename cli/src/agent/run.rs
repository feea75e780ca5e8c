//! The agent's life: takes the host's name, follows the placement document, drains, leaves.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use flotilla_api::placement::binary_name;
use flotilla_group::accounts::Accounts;
use flotilla_group::placement::PlacementRules;
use flotilla_group::scheduler::Ledger;
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_store::Store;

use super::args::AgentArgs;
use super::check::check;
use super::shelf::Shelf;
use crate::crew::{Ended, Handover, Post, PostParts, Printer, Program, ReplicaCommand, Turn, hand_over, taken_over};
use crate::exit::Exit;
use crate::group_key::old_key;
use crate::logging::LogFormat;
use crate::machine;
use crate::process::{Metrics, Ops, READY, Readiness, STOPPING, Shutdown, notify};

/// How much longer than its own drain time-out a replica gets before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// Runs until a signal; then the replicas of this host drain.
pub async fn run(args: AgentArgs, log_format: LogFormat) -> anyhow::Result<ExitCode> {
    if args.rehearse {
        return rehearse(&args).await;
    }
    let mut signals = Shutdown::listen()?;
    let mut handed = taken_over()?;
    let started_ms = handed.as_ref().map_or_else(machine::now_ms, |handed| handed.started_ms);
    let drain =
        Duration::try_from_secs_f64(args.engine.drain_timeout).context("--drain-timeout must be 0 or more seconds")?;
    let readiness = Readiness::new("host", "its name is not taken yet");
    let ops = Ops::start(args.ops, readiness.clone(), Metrics::install()?, axum::Router::new()).await?;
    let store = flotilla_store::open(&args.at.store).await.context("cannot open the store; see --store")?;
    let keys = KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given);
    keys.keys().await.map_err(old_key)?;
    let mut facts = args.facts();
    (facts.owner, facts.owner_id) = owner(&store, &facts.owner).await?;
    let host = facts.name.clone();
    // The same after a restart of its own, so that the lease on the host's name is its own.
    let holder = handed.as_ref().map_or_else(
        || format!("agent {host}/{started_ms}/{}", flotilla_engine::message::generate_id()),
        |handed| handed.holder.clone(),
    );
    let installed = Program::installed().context("cannot find out where this binary is")?;
    let (mut shelf, binary) = Shelf::new(&args.data, store.clone(), keys.clone(), installed.clone());
    let parts = PostParts {
        facts,
        holder: holder.clone(),
        started_ms,
        lease: args.lease(),
        rules: PlacementRules { replace_after_ms: args.replace_after * 1000, ..PlacementRules::default() },
        command: Box::new(command(&args, &store, &host, drain + GRACE)),
        printer: Printer { format: log_format },
        binary,
        slots: handed.as_mut().map(Handover::take_slots).unwrap_or_default(),
        keys,
        store,
    };
    let mut post = tokio::select! {
        taken = Post::take(parts) => taken?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    post.schedule();
    readiness.ready("host");
    notify(READY);
    tracing::info!(host, ops = %ops.address(), "agent runs: replicas that are placed on this host are started");
    let code = loop {
        let turn = tokio::select! {
            turn = post.turn() => turn,
            () = shelf.changed() => Turn::Look,
            () = signals.next() => break ExitCode::SUCCESS,
        };
        if turn == Turn::Lost {
            break Exit::LeaseLost.into();
        }
        let followed = async {
            let placement = post.placement().await?;
            shelf.stage(&placement, &host);
            if let Some(next) = shelf.next(&placement, &host)
                && let Some(slots) = post.slots()
            {
                // Again: what is installed was never tried, and the store may be away by now.
                let error = match check(&next.path).await {
                    Ok(()) => {
                        post.schedule_no_more().await;
                        let name = binary_name(&next.sha256);
                        tracing::info!("restarts itself with the binary {name}; its replicas keep running");
                        let handover = Handover::new(&holder, started_ms);
                        let error = hand_over(&next, &installed.path, &args.data, handover, &slots);
                        post.schedule();
                        error
                    }
                    Err(error) => error,
                };
                shelf.refuse(&next.sha256, &format!("the agent cannot restart itself: {error:#}"));
            }
            post.follow(&placement, |sha256| shelf.program(&placement, sha256)).await
        };
        let how = followed.await;
        post.looked(how);
    };
    notify(STOPPING);
    tracing::info!(replicas = post.size(), "drains; Ctrl-C again stops at once");
    tokio::select! {
        () = post.leave(drain + 2 * GRACE) => {}
        () = signals.next() => tracing::warn!("asked again: stops at once"),
    }
    Ok(code)
}

/// The user whose host this is, and that user's id: another one of that name is not meant. The host of nobody is the
/// administrators'.
async fn owner(store: &Arc<dyn Store>, name: &str) -> anyhow::Result<(String, String)> {
    if name.is_empty() {
        return Ok((String::new(), String::new()));
    }
    match Accounts::new(store.clone()).users().find(name).await? {
        Some(user) => Ok((user.name, user.id)),
        None => {
            tracing::warn!("--owner {name}: there is no such user, so this host belongs to the administrators");
            Ok((String::new(), String::new()))
        }
    }
}

/// Looks whether an agent could start like this: the store answers, and what is in it can be read.
async fn rehearse(args: &AgentArgs) -> anyhow::Result<ExitCode> {
    let store = flotilla_store::open(&args.at.store).await.context("cannot open the store; see --store")?;
    KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given).keys().await.map_err(old_key)?;
    Ledger::new(store).load().await?;
    Ok(ExitCode::SUCCESS)
}

/// How replicas are started.
fn command(
    args: &AgentArgs,
    store: &Arc<dyn Store>,
    host: &str,
    patience: Duration,
) -> impl Fn(&str, Program) -> ReplicaCommand + Send + Sync + 'static {
    let (args, store, host) = (args.clone(), store.clone(), host.to_owned());
    move |group, program| {
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
            program,
            args: command,
            group: group.to_owned(),
            keys: KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given),
            store: Some(args.at.store.clone()),
            project_broker: args.engine.project_broker.clone(),
            patience,
            ended: Ended::default(),
        }
    }
}
