//! `flotilla up --forget`: ends what the last run left at MQTT brokers.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use flotilla_broker::Broker;
use flotilla_group::member::Registry;
use flotilla_group::session::Sessions;
use serde_json::Map;

use super::args::UpArgs;
use super::link_account;
use super::open::{Missing, Opened, open};
use super::run::start_broker;
use crate::exit::{Exit, Failure};
use crate::left_sessions::{LeftSessions, tell};
use crate::plain::print;

/// How long replicas of a run that was killed may take to be known as dead.
const GONE: Duration = Duration::from_secs(15);
/// How long the embedded broker may take to stop.
const STOP: Duration = Duration::from_secs(5);

/// Ends the sessions of the data folder's group and reports which. The embedded broker runs meanwhile, so that what it keeps on
/// disk (--mqtt-persist) is ended, too.
pub(super) async fn forget(args: &UpArgs) -> anyhow::Result<ExitCode> {
    let group = &args.engine.group;
    let Opened { held, store, keys, .. } = open(args, Missing::Refused).await?;
    let registry = Registry::new(store.clone(), group)?;
    let deadline = Instant::now() + GONE;
    while !registry.list().await?.is_empty() {
        if Instant::now() > deadline {
            let why = format!("group \"{group}\" still has replicas, and they use its sessions: stop them first");
            return Err(Failure::new(Exit::Refused, why).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let account = link_account::account(args, &Map::new());
    let broker = if args.no_broker { None } else { Some(start_broker(args, account.clone()).await?) };
    let door = broker.as_ref().map(Broker::tcp_addr).map(|at| link_account::door(&account, at));
    let project_broker = args.engine.project_broker.clone().or(door);
    let ended = LeftSessions::new(store.clone(), keys, project_broker).end_all(group).await;
    if let Some(broker) = broker {
        broker.shutdown(STOP).await;
    }
    let ended = ended?;
    if ended.iter().all(|session| session.problem.is_none()) {
        // The group may have been removed, and this may have been left then.
        Sessions::new(store, group)?.settle().await?;
    }
    drop(held);
    if ended.is_empty() {
        print(&format!("group \"{group}\" has left no MQTT session at a broker\n"));
    }
    tell(&ended, false, &again(args))
}

/// The command that tries again: with what decides which sessions are meant, and where.
fn again(args: &UpArgs) -> String {
    let mut again = format!("flotilla up --forget --data {} --group {}", args.data.display(), args.engine.group);
    if args.no_broker {
        again += " --no-broker";
    } else {
        again += &format!(" --mqtt {}", args.mqtt);
    }
    if let Some(folder) = &args.mqtt_persist {
        again += &format!(" --mqtt-persist {}", folder.display());
    }
    if args.store.is_some() {
        // It may have a password in it.
        again += " --store URL";
    }
    again
}
