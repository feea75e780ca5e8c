//! What time does to messages and connections.

use std::time::Duration;

use flotilla_tests::mqtt::{BrokerProcess, Client, Connect, Ending, TestBroker};
use flotilla_tests::{eventually, free_ports};

use super::kit::payload;

/// PUBLISH at QoS 1 with a message expiry interval of one second.
fn short_lived(topic: &str, pkid: u16) -> Vec<u8> {
    let mut body = vec![0, topic.len() as u8];
    body.extend(topic.as_bytes());
    body.extend(pkid.to_be_bytes());
    body.extend([5, 2, 0, 0, 0, 1]);
    body.extend(b"short");
    [vec![0x32, body.len() as u8], body].concat()
}

/// Publishes without expiry until it is not dropped: the short-lived ones have to expire first.
fn takes_one_after_a_second(what: &str, publisher: &mut Client, topic: &str, mut kept: impl FnMut(u8) -> bool) {
    eventually(what, Duration::from_secs(20), || {
        let pkid = publisher.publish(topic, b"lasting", 1, false).unwrap();
        kept(publisher.confirmed(pkid, 1).unwrap()).then_some(())
    })
    .unwrap();
}

#[test]
fn expired_messages_keep_no_place_in_a_session() {
    let broker = TestBroker::start(|config| config.session_queue = 10);
    let session = Connect::new(5, "s").persistent();
    let mut own = Client::connect(broker.address(), &session).unwrap();
    own.subscribe("t", 1).unwrap();
    own.end(Ending::Disconnect).unwrap();
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    for pkid in 1..=10 {
        publisher.send(&short_lived("t", pkid)).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    let mut dropped = 0;
    takes_one_after_a_second("room for one that lasts", &mut publisher, "t", |_| {
        let before = std::mem::replace(&mut dropped, broker.stats().dropped_queue);
        before == dropped && broker.stats().dropped_expired == 10
    });
    let mut own = Client::connect(broker.address(), &session).unwrap();
    assert_eq!(payload(&own.messages(1).unwrap()[0].payload), "lasting");
}

#[test]
fn expired_messages_keep_no_place_in_a_share_group() {
    let broker = TestBroker::start(|config| config.group_queue = 10);
    let mut member = Client::connect(broker.address(), &Connect::new(5, "m")).unwrap();
    member.subscribe("$share/g/t", 1).unwrap();
    member.unsubscribe("$share/g/t").unwrap();
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    for pkid in 1..=10 {
        publisher.send(&short_lived("t", pkid)).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    takes_one_after_a_second("room for one that lasts", &mut publisher, "t", |reason| reason == 0);
    member.subscribe("$share/g/t", 1).unwrap();
    // Those that were published last may live for a moment longer than the first.
    let mut came = Vec::new();
    while came.last().is_none_or(|last| last != "lasting") {
        came.push(payload(&member.messages(1).unwrap()[0].payload));
    }
    assert!(came.len() <= 10, "there was room since one of ten had expired: {came:?}");
}

/// What came in time waits to be read when the broker goes on: nobody was silent.
#[test]
fn a_broker_that_stood_still_throws_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let [address] = free_ports().unwrap();
    let broker = BrokerProcess::start(address, folder.path()).unwrap();
    let mut clients: Vec<Client> = (0..60)
        .map(|n| Client::connect(address, &Connect { keep_alive: 1, ..Connect::new(5, &format!("c{n}")) }).unwrap())
        .collect();
    broker.pause().unwrap();
    // One and a half times the keep alive, and as much again.
    for _ in 0..6 {
        for client in &mut clients {
            client.send(&[0xC0, 0]).unwrap();
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    broker.resume().unwrap();
    for client in &mut clients {
        client.ping().unwrap();
    }
}

/// A message that went to many sessions is held once, before a restart and after it.
#[test]
fn what_many_wait_for_is_held_once_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || TestBroker::start(|config| config.persist = Some(folder.path().to_owned()));
    let held = {
        let broker = start();
        for n in 0..50 {
            let mut own = Client::connect(broker.address(), &Connect::new(5, &format!("s{n}")).persistent()).unwrap();
            own.subscribe("t", 1).unwrap();
            own.end(Ending::Disconnect).unwrap();
        }
        let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
        for n in 0..20u8 {
            let pkid = publisher.publish("t", &[n; 10_000], 1, false).unwrap();
            assert_eq!(publisher.confirmed(pkid, 1).unwrap(), 0);
        }
        broker.status().held_bytes
    };
    // 20 messages, and places in 50 queues; each copy for itself would be 10 million.
    let once = 20 * 10_000..40 * 10_000;
    assert!(once.contains(&held), "{held}");
    let again = start().status().held_bytes;
    assert!(once.contains(&again), "{again}");
}
