//! The gateway, the store and whoever holds the upgrade lease are hit.

use std::cell::RefCell;
use std::time::Duration;

use flotilla_tests::{Cluster, ClusterOptions, kill, pause, resume};
use serde_json::Value;

use super::stages::{STAGES, loop_over};
use crate::rollout_flow::flow;

/// How long the store is away.
const AWAY: Duration = Duration::from_secs(10);
/// Longer than the upgrade lease of a gateway (5 s) and of a replica.
const PAST_THE_LEASE: Duration = Duration::from_secs(6);

fn rounds(what: &str, stages: impl IntoIterator<Item = usize>, strike: impl Fn(&mut Cluster, &Value)) {
    let options = ClusterOptions { replicas: vec![Vec::new(); 3], args: vec!["--lease".to_owned(), "1.5".to_owned()] };
    let cluster = Cluster::start(&flow("v0", ""), options).unwrap();
    let (admin, port) = (cluster.admin.clone(), cluster.mqtt.port().to_string());
    let cluster = RefCell::new(cluster);
    let point = |document: &mut Value| {
        for node in document.as_array_mut().into_iter().flatten().filter(|node| node["type"] == "mqtt-broker") {
            node["port"] = Value::from(port.as_str());
        }
    };
    loop_over(admin, what, stages, point, |state| strike(&mut cluster.borrow_mut(), state));
}

/// The process that holds the upgrade lease, by the name it gave.
fn holder(cluster: &Cluster, state: &Value) -> Option<u32> {
    let name = state["driver"].as_str()?;
    if let Some(rest) = name.strip_prefix("gateway-") {
        return rest.split('-').next()?.parse().ok();
    }
    let (id, _) = name.split_once('/')?;
    cluster.admin.replicas().into_iter().find(|replica| replica.id == id).map(|replica| replica.pid)
}

#[test]
fn the_gateway_is_killed_at_every_stage() {
    rounds("the gateway is killed", 0..STAGES, |cluster, _| kill(cluster.gateway_pid()).unwrap());
}

#[test]
fn the_holder_of_the_upgrade_lease_is_killed_at_every_stage() {
    rounds("the holder of the lease is killed", 0..STAGES, |cluster, state| {
        if let Some(pid) = holder(cluster, state) {
            kill(pid).unwrap();
        }
    });
}

#[test]
fn the_holder_of_the_upgrade_lease_stalls_past_it_at_every_stage() {
    rounds("the holder of the lease stalls", 0..STAGES, |cluster, state| {
        if let Some(pid) = holder(cluster, state).filter(|pid| pause(*pid).is_ok()) {
            std::thread::sleep(PAST_THE_LEASE);
            resume(pid).unwrap();
        }
    });
}

/// In three parts, as each round takes as long as the store is away and more.
fn the_store_is_killed(stages: impl IntoIterator<Item = usize>) {
    rounds("the store is away", stages, |cluster, _| {
        cluster.redis.kill().unwrap();
        std::thread::sleep(AWAY);
        cluster.redis.restart().unwrap();
    });
}

#[test]
fn the_store_is_away_for_ten_seconds_at_every_stage_1() {
    the_store_is_killed((0..STAGES).step_by(3));
}

#[test]
fn the_store_is_away_for_ten_seconds_at_every_stage_2() {
    the_store_is_killed((1..STAGES).step_by(3));
}

#[test]
fn the_store_is_away_for_ten_seconds_at_every_stage_3() {
    the_store_is_killed((2..STAGES).step_by(3));
}

#[test]
fn the_store_stands_still_for_ten_seconds() {
    rounds("the store stands still", (1..STAGES).step_by(3), |cluster, _| {
        cluster.redis.pause().unwrap();
        std::thread::sleep(AWAY);
        cluster.redis.resume().unwrap();
    });
}
