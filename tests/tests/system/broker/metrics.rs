//! What `/metrics` shows of share groups.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Ending};
use flotilla_tests::{Part, eventually, free_ports, get, wait_for};

const PATIENCE: Duration = Duration::from_secs(20);

/// `flotilla broker` that drops empty groups after a second.
fn start(listen: SocketAddr, ops: SocketAddr) -> Part {
    let (listen, own) = (listen.to_string(), ops.to_string());
    let part = Part::start(&["broker", "--group-linger", "1", "--listen", &listen, "--ops", &own], &[]).unwrap();
    wait_for(ops, "/livez", 200).unwrap();
    part
}

/// The lines of share groups and their members.
fn shown(ops: SocketAddr) -> Vec<String> {
    let text = get(ops, "/metrics").unwrap().body;
    assert!(text.contains("# TYPE flotilla_broker_group_waiting gauge"), "{text}");
    text.lines().filter(|line| line.contains("group=")).map(str::to_owned).collect()
}

/// Series of members and groups end with them.
#[test]
fn what_is_gone_is_not_shown() {
    let [listen, ops] = free_ports().unwrap();
    let _running = start(listen, ops);
    let mut member = Client::connect(listen, &Connect::new(5, "m")).unwrap();
    let mut second = Client::connect(listen, &Connect::new(5, "n")).unwrap();
    for client in [&mut member, &mut second] {
        client.subscribe("$share/g/t", 1).unwrap();
    }
    member.publish("t", b"1", 1, false).unwrap();
    member.publish("t", b"2", 1, false).unwrap();
    member.ping().unwrap();
    let line = |of: &str, value: u8| format!("flotilla_broker_{of} {value}");
    let labels = "group=\"g\",filter=\"t\"";
    eventually("both hold one", PATIENCE, || {
        let shown = shown(ops);
        [0, 1]
            .iter()
            .all(|at| shown.contains(&line(&format!("member_in_flight{{{labels},member=\"{at}\"}}"), 1)))
            .then_some(())
    })
    .unwrap();
    assert_eq!(shown(ops).len(), 7);
    second.end(Ending::Disconnect).unwrap();
    eventually("the second is gone", PATIENCE, || {
        let shown = shown(ops);
        (shown.len() == 6 && shown.contains(&line(&format!("group_members{{{labels}}}"), 1))).then_some(())
    })
    .unwrap();
    member.end(Ending::Disconnect).unwrap();
    eventually("the group is gone", PATIENCE, || shown(ops).is_empty().then_some(())).unwrap();
}
