//! Who gets a message of a share group, and in which order, where members differ.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flotilla_broker::Strategy;
use flotilla_tests::eventually;
use flotilla_tests::mqtt::{Client, Connect, TestBroker};

use super::kit::{self, payload};

/// Topics stay in order for a member that is full now and then, while more than it can take is published.
#[test]
fn topic_hash_keeps_the_order_of_each_topic() {
    let broker = TestBroker::start(|config| {
        config.strategy = Strategy::TopicHash;
        // Past this, publishers are told so, and go on.
        config.group_queue = 2000;
    });
    let mut member = Client::connect(broker.address(), &Connect::new(5, "member")).unwrap();
    member.subscribe("$share/g/t/#", 1).unwrap();
    let stop = Arc::<AtomicBool>::default();
    let publishers: Vec<_> = (0..4)
        .map(|own| {
            let (address, stop) = (broker.address(), stop.clone());
            thread::spawn(move || publish_until(address, &format!("t/{own}"), &stop))
        })
        .collect();
    let full = || (broker.status().groups[0].waiting > 1000).then_some(());
    eventually("the member to be full", Duration::from_secs(20), full).unwrap();
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..20_000 {
        let message = member.messages(1).unwrap().remove(0);
        member.accept(&message).unwrap();
        let number = payload(&message.payload).trim_end().to_owned();
        if let Some(before) = last.insert(message.topic.clone(), number.clone()) {
            assert!(before < number, "{number} came behind {before} of {}", message.topic);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for publisher in publishers {
        publisher.join().unwrap();
    }
}

/// Numbered messages of 3 KB at QoS 1, 50 of them open at a time.
fn publish_until(address: SocketAddr, topic: &str, stop: &AtomicBool) {
    let mut client = Client::connect(address, &Connect::new(5, topic)).unwrap();
    let mut open = VecDeque::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let large = format!("{}{}", kit::name(n), " ".repeat(3000));
        open.push_back(client.publish(topic, large.as_bytes(), 1, false).unwrap());
        if open.len() == 50 {
            client.confirmed(open.pop_front().unwrap(), 1).unwrap();
        }
    }
}

#[test]
fn what_is_too_large_for_one_member_goes_to_another() {
    let broker = TestBroker::start(|_| {});
    let small = Connect { max_packet: Some(100), ..Connect::new(5, "small") };
    let mut small = Client::connect(broker.address(), &small).unwrap();
    small.subscribe("$share/g/t", 1).unwrap();
    // It may hold 10, so that most have to wait for it.
    let large = Connect { receive_maximum: 10, ..Connect::new(5, "large") };
    let mut large = Client::connect(broker.address(), &large).unwrap();
    large.subscribe("$share/g/t", 1).unwrap();
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let sent: Vec<u16> =
        (0..100).map(|n| publisher.publish("t", kit::name(n).repeat(50).as_bytes(), 1, false).unwrap()).collect();
    for pkid in sent {
        assert_eq!(publisher.confirmed(pkid, 1).unwrap(), 0);
    }
    for n in 0..100 {
        let message = large.messages(1).unwrap().remove(0);
        assert_eq!(payload(&message.payload), kit::name(n).repeat(50));
        large.accept(&message).unwrap();
    }
    assert_eq!(broker.stats().dropped_large, 0);
    // Nobody is left who could: it is dropped, and does not stand in the way of those behind it.
    large.unsubscribe("$share/g/t").unwrap();
    let pkid = publisher.publish("t", &[b'x'; 300], 1, false).unwrap();
    assert_eq!(publisher.confirmed(pkid, 1).unwrap(), 0);
    assert_eq!(broker.stats().dropped_large, 1);
    publisher.publish("t", b"little", 1, false).unwrap();
    assert_eq!(payload(&small.messages(1).unwrap()[0].payload), "little");
}
