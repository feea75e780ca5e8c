//! A disk that is full: nothing is acknowledged, health checks say so, and it goes on where there is room again.

use std::process::Command;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Part, eventually, flotilla, free_ports, get};

#[test]
fn a_full_disk_is_told_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let [mqtt, ops] = free_ports().unwrap();
    // A limit of the size of files stands for the disk: writes past it fail as on a full one, where the signal is ignored.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 1024; exec \"$@\"", "bash"]).arg(flotilla().unwrap());
    command.args(["broker", "--listen", &mqtt.to_string(), "--ops", &ops.to_string(), "--persist"]).arg(folder.path());
    let broker = Part::run(command).unwrap();
    let readiness = || get(ops, "/readyz").ok();
    let ready = || readiness().filter(|answer| answer.status == 200).map(drop);
    eventually("the broker to be ready", Duration::from_secs(30), ready).unwrap();

    let mut client = Client::connect(mqtt, &Connect::new(5, "c")).unwrap();
    let sent: Vec<u16> =
        (0..200).map(|n| client.publish(&format!("r/{n}"), &[b'x'; 10_000], 1, true).unwrap()).collect();
    let full = || readiness().filter(|answer| answer.status == 503).map(|answer| answer.body);
    let body = eventually("the full disk to be told", Duration::from_secs(30), full).unwrap();
    assert!(body.contains("persist") && body.contains("broker.db"), "{body}");
    // Pings go on; what is not on disk is not acknowledged.
    client.ping().unwrap();
    let unlimited = Command::new("prlimit").args(["--pid", &broker.pid().to_string(), "--fsize=unlimited"]).status();
    assert!(unlimited.unwrap().success());
    for pkid in sent {
        assert_eq!(client.confirmed(pkid, 1).unwrap() & 0x80, 0);
    }
    eventually("the broker to be ready again", Duration::from_secs(30), ready).unwrap();
}
