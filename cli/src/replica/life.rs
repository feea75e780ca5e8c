//! A replica's life: join, run the group's revision, follow changes, drain, leave.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use flotilla_api::health::ReplicaHealth;
use flotilla_engine::Shared;
use flotilla_engine::observe::DebugFeed;
use flotilla_gateway::admin::Token;
use flotilla_group::Changes;
use flotilla_group::Driver;
use flotilla_group::GroupError;
use flotilla_group::accounts::Joins;
use flotilla_group::control::ControlTokens;
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::{Gateways, Memberships, Registration, ReplicaRecord, ReplicaState};
use flotilla_group::outbox::Outbox;
use flotilla_group::revision::Revisions;
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_group::secret::Secrets;
use flotilla_group::session::{Consumers, Sessions};
use flotilla_group::spec::{GroupSpec, Specs};
use flotilla_group::trail::TrailRules;
use flotilla_http::HttpServer;
use flotilla_nodes_network::project::ProjectWire;
use flotilla_store::{Metered, Store};
use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use super::advertise::{Advertise, advertised, reachable};
use super::args::{EngineArgs, ReplicaArgs};
use super::control::{Control, Opened};
use super::letters::GroupLetters;
use super::memory::{memory_limit, resident_memory, set_memory_limit};
use super::observer::ReplicaObserver;
use super::orphans::Finisher;
use super::outbox::GroupOutbox;
use super::regroup::{self, Place, Waited};
use super::relay::GroupRelay;
use super::replica::Replica;
use super::sessions::GroupKeeper;
use super::together::GroupTogether;
use super::trails::follow_rule;
use super::{engine, health, left, metrics, parent, watch};
use crate::exit::{Exit, Failure};
use crate::flow_files;
use crate::group_key;
use crate::logging;
use crate::process::{Metrics, Ops, Readiness, Shutdown, end_after};

/// Exit code when the lease on the id was lost: start again under another id.
const LEASE_LOST: u8 = 75;

/// How much longer than the drain time-out leaving may take, before the process ends all the same. Less than the supervisor
/// waits.
const GRACE: Duration = Duration::from_secs(4);

/// Runs until a signal, the end of the supervisor, or the loss of the lease.
pub async fn run(mut args: ReplicaArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    let drain =
        Duration::try_from_secs_f64(args.engine.drain_timeout).context("--drain-timeout must be 0 or more seconds")?;
    let lease = Duration::try_from_secs_f64(args.engine.lease).context("--lease must be a number of seconds")?;
    // A flow that cannot run is refused before anything is opened.
    let mut given = match &args.flows {
        Some(flows) => {
            let mut revision = flow_files::read_runnable(flows, &args.flow, args.engine.allow_unknown)?;
            group_key::seal(&mut revision, args.flow.credential_secret.as_deref(), args.group_key.as_deref())?;
            Some(revision)
        }
        None => None,
    };
    if let Some(mib) = args.engine.memory_limit {
        set_memory_limit(mib << 20);
    }
    let readiness = Readiness::new("revision", "not loaded yet");
    let shown = Metrics::install()?;
    let control = Control::default();
    let ops = Ops::start(args.ops, readiness.clone(), shown.clone(), control.routes()).await?;
    let store = flotilla_store::open(&args.at.store).await.context("cannot open the store; see --store")?;
    let store = Metered::over(store);
    let joins = Joins::new(store.clone());
    let mut owner = None;
    if let Some(token) = &args.join {
        let joined = joins.open(token).await.context("see --join")?;
        (args.engine.group, args.group_key, owner) = (joined.group, Some(joined.key), Some(joined.owner));
    }
    let id =
        args.id.clone().unwrap_or_else(|| format!("{}-{}", args.engine.group, flotilla_engine::message::generate_id()));
    if let Some(owner) = &owner {
        joins.own(&id, owner).await?;
    }
    let started_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    // Not the pid: it is 1 in every container.
    let process = format!("{started_ms}/{}", flotilla_engine::message::generate_id());
    let parent_has_newest = args.exit_with_parent && !args.given_key;
    let restart = if parent_has_newest || owner.is_some() { Restart::Newest } else { Restart::Given };
    let keys = KeyRing::new(store.clone(), args.group_key.as_deref(), restart);
    keys.keys().await.map_err(group_key::old_key)?;
    let mut record = record(&args, &id, started_ms, advertised(ops.address(), args.advertise));
    record.key = keys.next_start();
    let memberships = Memberships::new(store.clone());
    let parent = CancellationToken::new();
    if args.exit_with_parent {
        parent::watch(parent.clone(), drain + GRACE).context("cannot start a thread")?;
    }
    let started_in = (!args.spare).then_some(args.engine.group.as_str());
    let mut place = Place::of(&memberships, &id, started_in).await?;
    if place.group.is_none() {
        let stop = async {
            tokio::select! {
                () = signals.next() => {}
                () = parent.cancelled() => {}
            }
        };
        place = match regroup::wait_for_group(&store, record.clone(), &process, lease, &readiness, stop).await? {
            Waited::Placed(place) => place,
            Waited::Lost => return Ok(ExitCode::from(LEASE_LOST)),
            Waited::Stopped => return Ok(ExitCode::SUCCESS),
        };
    }
    if let Some(group) = place.group.filter(|group| *group != args.engine.group) {
        // The document is for the group that it was started for.
        (args.engine.group, given) = (group, None);
    }
    let revisions = Revisions::new(store.clone(), &args.engine.group)?;
    let desired = DesiredStates::new(store.clone(), &args.engine.group)?;
    let specs = Specs::new(store.clone());
    if args.create || given.is_some() || args.engine.group == "default" {
        specs.add_if_none(&GroupSpec::named(&args.engine.group)).await?;
    } else if let Err(error) = specs.get(&args.engine.group).await {
        // A typo makes no group.
        let why = format!("{error}; create it with `flotilla group add` or --create");
        let exit = if matches!(error, GroupError::NoGroup(_)) { Exit::NotFound } else { Exit::Unreachable };
        return Err(Failure::new(exit, why).into());
    }
    let standing = Arc::new(OnceLock::new());
    logging::set_who(|who| (who.group, who.replica) = (args.engine.group.clone(), id.clone()));
    let debug = Arc::new(DebugFeed::default());
    let observer = Box::new(ReplicaObserver::new(debug.clone(), args.show_debug));
    let engine = engine::start(engine::settings(&args.engine, &id), &store, standing.clone(), observer).await?;
    let mut recorded = None;
    if let Some(revision) = given {
        engine::start_scripts(&engine, &revision.flows);
        let own = revisions.record_own(revision, "replica").await?;
        desired.set_if_none(&own.id).await?;
        recorded = Some(own);
    }
    metrics::register(&shown, engine.shared());
    let http = HttpServer::bind(engine.shared(), args.http)
        .with_context(|| format!("cannot listen on {} for the flow's HTTP nodes: choose another --http", args.http))?;
    record.group.clone_from(&args.engine.group);
    record.http = Some(match args.advertise {
        Some(Advertise::At(address)) => address,
        said => reachable(http.local_addr(), said, args.at.is_elsewhere()).with_context(|| {
            format!(
                "gateways of the group cannot reach --http {}: use --http 0.0.0.0:1880, or give the address that they can \
                 reach with --advertise HOST:PORT or --advertise NETWORK",
                args.http
            )
        })?,
    });
    let token = ControlTokens::new(store.clone(), &args.engine.group)?.get_or_make(&fresh_token()).await?;
    let token = Token::new(&token).context("the group's control token in the store")?;
    control.open(Opened { token, id: id.clone(), shared: engine.shared().clone(), debug });
    let registration = join(&store, record, &process, lease, engine.shared().clone(), keys.clone()).await?;
    drop(standing.set(registration.standing()));
    let lost = registration.lost();
    let telling = watch::tell(engine.shared().clone(), registration.clone());
    task("health record", &id, "the process ends", "the record in the registry is as old as a heartbeat")
        .spawn(telling);
    let watching = watch::end_when_sick(engine.shared().clone(), registration.clone(), readiness.clone());
    task("health watch", &id, "the process ends", "a hanging worker does not end the process").spawn(watching);
    let noted = engine.shared().clone();
    readiness.note(move || health::lines(&noted));
    let kept = Sessions::new(store.clone(), &args.engine.group)?;
    let stopped = tokio::select! {
        () = left::until_ended(store.clone(), &kept, &registration, &readiness) => None,
        () = signals.next() => Some(ExitCode::SUCCESS),
        () = parent.cancelled() => Some(ExitCode::SUCCESS),
        () = lost.cancelled() => Some(ExitCode::from(LEASE_LOST)),
    };
    if let Some(code) = stopped {
        end_after(GRACE, "leaving the group");
        registration.leave().await;
        engine.shutdown().await;
        return Ok(code);
    }
    let keeper = GroupKeeper::new(kept.clone(), registration.standing(), &id, &process);
    keeper.install(engine.shared());
    let together = GroupTogether::new(store.clone(), &args.engine.group, &process, lease, keeper.clone())?;
    together.install(engine.shared());
    let relaying = GroupRelay::install(store.clone(), &args.engine.group, &process, engine.shared())?;
    let alone = "WebSocket clients of other replicas do not get what this one sends";
    task("websocket relay", &id, "the process ends", alone).spawn(relaying);
    if args.engine.durable_outbox {
        let outbox = GroupOutbox(Outbox::new(store.clone(), &args.engine.group, &id, &process)?);
        outbox.install(engine.shared());
        let following = outbox.follow(engine.shared().clone(), registration.standing());
        let left = "what dead replicas left is published by the others";
        task("durable outbox", &id, "the process ends", left).spawn(following);
    }
    let EngineArgs { project_broker, project_team, .. } = &args.engine;
    let wire = ProjectWire { broker: project_broker.clone(), team: project_team.clone() };
    engine.shared().extensions().insert(Arc::new(wire));
    let letters = GroupLetters::new(&store, &args.engine.group, keys.clone(), &id)?;
    letters.install(engine.shared());
    let left = "this replica runs no dead letters again; the others do";
    task("dead letters", &id, "the process ends", left).spawn(letters.follow(engine.shared().clone()));
    let rules = TrailRules::new(store.clone(), &args.engine.group)?;
    let left = "this replica records failures alone";
    task("rule of trails", &id, "the process ends", left).spawn(follow_rule(
        store.clone(),
        rules,
        engine.shared().clone(),
    ));
    let finisher = Finisher {
        shared: engine.shared().clone(),
        sessions: kept,
        standing: registration.standing(),
        replica: id.clone(),
        process,
        ttl: lease,
    };
    let left = "another replica finishes the sessions of dead replicas when the taken lease has run out";
    let orphans = task("orphaned sessions", &id, "the replica leaves", left).spawn(finisher.run());
    let driver = Driver::new(store.clone(), &args.engine.group, &format!("{id}/{started_ms}"), lease)?;
    let stop_driving = CancellationToken::new();
    let left = "a rollout that it drove is driven by another process when the lease has run out";
    let driving = task("rollout driver", &id, "the replica leaves", left).spawn(driver.run(stop_driving.clone()));
    let mut changes = Changes::new(store.clone(), vec![desired.key(), Memberships::key(&id), KeyRing::changes_key()]);
    let secrets = Secrets::new(store.clone(), &args.engine.group)?;
    let consumers = Consumers::new(store.clone(), &args.engine.group)?;
    let gateways = Gateways::new(store, &args.engine.group)?;
    let mut replica = Replica {
        id: id.clone(),
        added_ms: place.since_ms,
        engine,
        registration,
        revisions,
        recorded,
        secrets,
        desired,
        gateways,
        keeper,
        consumers,
        keep_session: Duration::from_secs(args.engine.keep_session.into()),
        readiness,
        keys: keys.clone(),
        drain,
        running: String::new(),
        resting: false,
        aside: false,
    };

    let (mut code, mut moves) = (ExitCode::SUCCESS, false);
    loop {
        // A step may take long, and may hang: what ends this process is heard in the middle of it.
        let step = async {
            changes.next().await;
            // A new key of the group is known from now on, also when the record of it is gone again.
            if let Err(error) = keys.keys().await {
                tracing::warn!("this process does not have the group's new key: {error}");
            }
            if regroup::is_elsewhere(&memberships, &id, &args.engine.group).await {
                tracing::info!(group = args.engine.group, "was taken out of its group: drains and leaves it");
                return true;
            }
            if !replica.follow().await {
                changes.look_again();
            }
            false
        };
        tokio::select! {
            elsewhere = step => if elsewhere {
                moves = true;
                break;
            },
            () = signals.next() => break,
            () = parent.cancelled() => break,
            () = lost.cancelled() => {
                code = ExitCode::from(LEASE_LOST);
                break;
            }
        }
    }
    end_after(drain + GRACE, "leaving the group");
    stop_driving.cancel();
    orphans.abort();
    let leave = async {
        let _ = driving.await;
        replica.leave(code == ExitCode::from(LEASE_LOST)).await;
    };
    tokio::select! {
        () = async {
            leave.await;
            control.end().await;
        } => {}
        () = signals.next() => {
            tracing::warn!("asked again to exit: exits at once, and other replicas take over what is in flight");
            moves = false;
        }
    }
    if moves {
        return Err(regroup::begin_anew(&id)).context("cannot restart after leaving the group");
    }
    Ok(code)
}

fn task(name: &'static str, replica: &str, ends: &'static str, failure: &'static str) -> Task {
    Task { name, owner: replica.into(), ends, failure }
}

/// A control token, if the group has none yet.
fn fresh_token() -> String {
    rand::random::<[u8; 24]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What this process says of itself, before it is in a group.
fn record(args: &ReplicaArgs, id: &str, started_ms: u64, ops: Option<SocketAddr>) -> ReplicaRecord {
    ReplicaRecord {
        id: id.to_owned(),
        group: String::new(),
        host: args.host.clone(),
        state: ReplicaState::Starting,
        reason: String::new(),
        revision: String::new(),
        http: match args.advertise {
            Some(Advertise::At(address)) => Some(address),
            _ => None,
        },
        ops,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms,
        in_flight: 0,
        completed: 0,
        failed: 0,
        abandoned: 0,
        health: ReplicaHealth::default(),
        key: String::new(),
        memory: 0,
        memory_limit: memory_limit(),
        beat: 0,
    }
}

async fn join(
    store: &Arc<dyn Store>,
    record: ReplicaRecord,
    process: &str,
    lease: Duration,
    shared: Arc<Shared>,
    keys: KeyRing,
) -> anyhow::Result<Registration> {
    let measure = move |record: &mut ReplicaRecord| {
        let counts = shared.deliveries().counts();
        record.in_flight = counts.in_flight as u64;
        (record.completed, record.failed, record.abandoned) = (counts.completed, counts.failed, counts.abandoned);
        record.memory = resident_memory();
        record.key = keys.next_start();
        record.health = health::of(&shared);
    };
    Ok(Registration::join(store.clone(), record, process, lease, measure).await?)
}
