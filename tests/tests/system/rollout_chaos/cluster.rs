//! The gateway, the store and whoever holds the upgrade lease are hit.

use std::cell::RefCell;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Cluster, ClusterOptions, ReplicaRecord, ReplicaState, eventually, get, kill, pause, resume};
use serde_json::{Value, json};

use super::stages::{ENDS, STAGES, loop_over};
use crate::rollout_flow::flow;

/// How long the store is away.
const AWAY: Duration = Duration::from_secs(10);
/// Longer than the upgrade lease of a gateway (5 s) and of a replica.
const PAST_THE_LEASE: Duration = Duration::from_secs(6);

fn options() -> ClusterOptions {
    ClusterOptions { replicas: vec![Vec::new(); 3], args: vec!["--lease".to_owned(), "1.5".to_owned()] }
}

/// Points a document's broker nodes at the cluster's broker.
fn point(document: &mut Value, port: u16) {
    for node in document.as_array_mut().into_iter().flatten().filter(|node| node["type"] == "mqtt-broker") {
        node["port"] = Value::from(port.to_string());
    }
}

fn rounds(what: &str, stages: impl IntoIterator<Item = usize>, strike: impl Fn(&mut Cluster, &Value)) {
    let cluster = Cluster::start(&flow("v0", ""), options()).unwrap();
    let (admin, port) = (cluster.admin.clone(), cluster.mqtt.port());
    let cluster = RefCell::new(cluster);
    loop_over(admin, what, stages, |document| point(document, port), |state| strike(&mut cluster.borrow_mut(), state));
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

/// A number of a replica's own metrics, over all labels.
fn number(replica: &ReplicaRecord, name: &str) -> Option<f64> {
    let text = get(replica.ops?, "/metrics").ok()?.body;
    let lines = text.lines().filter(|line| line.starts_with(name));
    Some(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

/// The rollout is over before the replica goes on, and the store is away when it does: what it wants to change of its record is refused,
/// and written with the next renewal of its lease all the same.
#[test]
fn a_replica_that_stands_still_while_it_drains_takes_its_place_again() {
    let hold = "await new Promise(resolve => setTimeout(resolve, 3000));";
    let cluster = Cluster::start(&flow("v0", hold), options()).unwrap();
    let admin = &cluster.admin;
    admin.wait_for_ready(3).unwrap();
    let mut publisher = Client::connect(cluster.mqtt, &Connect::new(5, "publisher")).unwrap();
    for _ in 0..12 {
        publisher.publish("in", b"x", 1, false).unwrap();
    }
    let mut next = flow("v1", hold);
    point(&mut next, cluster.mqtt.port());
    admin.deploy(&next, &json!({"probation_ms": 200, "ready_ms": 8000, "drain_ms": 10_000})).unwrap();
    let drains = eventually("a replica that drains", ENDS, || {
        admin.replicas().into_iter().find(|replica| replica.state == ReplicaState::Draining)
    })
    .unwrap();
    pause(drains.pid).unwrap();
    let ended = admin.rollout_ended(ENDS).and_then(|rollout| cluster.redis.pause().map(|()| rollout));
    resume(drains.pid).unwrap();
    let rollout = ended.unwrap();
    assert_eq!(rollout["phase"], "returned");
    let drained = || (number(&drains, "flotilla_deliveries_in_flight") == Some(0.0)).then_some(());
    let refused = || number(&drains, "flotilla_store_errors_total");
    let tried = eventually("the end of the drain", ENDS, drained).and_then(|()| {
        let before = refused().unwrap_or_default();
        eventually("changes that the store did not take", ENDS, || (refused()? >= before + 20.0).then_some(()))
    });
    cluster.redis.resume().unwrap();
    tried.unwrap();
    eventually("all replicas as before", ENDS, || {
        let replicas = admin.replicas();
        let stays = |id: &str| replicas.iter().any(|replica| replica.id == id);
        let ready =
            replicas.iter().all(|one| one.state == ReplicaState::Ready && rollout["from"] == one.revision.as_str());
        (replicas.len() == 3 && stays(&drains.id) && ready).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:#?}", admin.replicas()));
}
