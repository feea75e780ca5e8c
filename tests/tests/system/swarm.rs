//! `deploy/stack.yml`, started on a swarm of one node.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use flotilla_tests::{Admin, Collector, Docker, Redis, deploy_file, eventually, free_ports, get};

const ENDS: Duration = Duration::from_mins(3);
const TOKEN: &str = "token-of-the-swarm-test-0123456789";
const IMAGE: &str = "flotilla-swarm-test";

/// A daemon that is the only node of a swarm.
fn swarm() -> anyhow::Result<Docker> {
    let docker = Docker::start_own()?;
    docker.run(&["swarm", "init", "--advertise-addr", "127.0.0.1"]).context("docker cannot be a swarm here")?;
    let node = docker.run(&["node", "ls", "-q"])?;
    docker.run(&["node", "update", "--label-add", "flotilla=store", &node])?;
    Ok(docker)
}

#[test]
#[ignore = "a daemon, a swarm and an image of its own: tests/run --long"]
fn the_stack_starts_and_outlives_a_replica_and_a_gateway() {
    let docker = match swarm() {
        Ok(docker) => docker,
        Err(reason) => return eprintln!("SKIPPED swarm: {reason:#}"),
    };
    docker.make_image(IMAGE).unwrap();
    // No image of Redis is pulled in tests: the store is one of this machine's.
    let network = docker.run(&["network", "inspect", "docker_gwbridge", "-f", "{{(index .IPAM.Config 0).Gateway}}"]);
    let ip: IpAddr = network.unwrap().parse().unwrap();
    let redis = Redis::start_on(ip).unwrap();
    let [mqtt, http, admin] = free_ports().unwrap();
    let published = |free: SocketAddr| SocketAddr::new(ip, free.port());
    let mut stack: Command = docker.command("docker");
    stack.args(["stack", "deploy", "-c"]).arg(deploy_file("stack.yml")).arg("plant");
    let port = |address: SocketAddr| address.port().to_string();
    stack.envs([
        ("FLOTILLA_IMAGE", IMAGE.to_owned()),
        ("FLOTILLA_ADMIN_TOKEN", TOKEN.to_owned()),
        ("FLOTILLA_STORE", redis.url()),
        ("REDIS_REPLICAS", "0".to_owned()),
        ("GATEWAYS", "1".to_owned()),
        ("MQTT_PORT", port(mqtt)),
        ("HTTP_PORT", port(http)),
        ("ADMIN_PORT", port(admin)),
    ]);
    let ended = stack.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let admin = Admin { address: published(admin), token: Some(TOKEN.to_owned()) };
    let ready = |wanted: usize| {
        let found = eventually(&format!("{wanted} replicas"), ENDS, || (admin.ready() == wanted).then_some(()));
        found.unwrap_or_else(|error| {
            panic!("{error}: {}", docker.run(&["stack", "ps", "plant", "--no-trunc"]).unwrap())
        });
    };
    ready(3);
    let node = docker.run(&["node", "ls", "--format", "{{.Hostname}}"]).unwrap();
    assert!(admin.replicas().iter().all(|replica| replica.host == node), "{:?}", admin.replicas());
    let out = Collector::start(published(mqtt), "plant/+/report", 1).unwrap();
    let publish = |range: std::ops::Range<u64>| {
        for number in range {
            let message = format!("{{\"seq\": {number}, \"value\": 21.5}}");
            let (ip, port) = (ip.to_string(), port(mqtt));
            let args = ["-h", &ip, "-p", &port, "-q", "1", "-t", "plant/press-1/temperature", "-m", &message];
            assert!(Command::new("mosquitto_pub").args(args).status().unwrap().success());
        }
    };
    // A message that comes before the group has subscribed is nobody's.
    let subscribed = || {
        publish(0..1);
        (out.distinct() > 0).then_some(())
    };
    eventually("the flow to be at the broker", ENDS, subscribed).unwrap();
    publish(1..20);
    let hit = || get(published(http), "/hits/swarm").ok().filter(|answer| answer.status == 200);
    eventually("an answer", ENDS, hit).unwrap();
    // A replica and the one gateway die: swarm starts others.
    for service in ["plant_replica", "plant_gateway"] {
        let filter = format!("label=com.docker.swarm.service.name={service}");
        let container = docker.run(&["ps", "-q", "--filter", &filter]).unwrap();
        docker.run(&["kill", container.lines().next().unwrap()]).unwrap();
    }
    publish(20..40);
    eventually("an answer after that", ENDS, hit).unwrap();
    out.wait_for_numbers(40, ENDS).unwrap();
    ready(3);
    docker.run(&["stack", "rm", "plant"]).unwrap();
    let gone = || docker.run(&["ps", "-q"]).ok().filter(String::is_empty);
    eventually("all containers to be gone", ENDS, gone).unwrap();
    docker.run(&["swarm", "leave", "--force"]).unwrap();
}
