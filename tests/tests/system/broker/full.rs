//! A share group that is full: publishers are told (5) or slowed (3.1.1), and nothing that was confirmed is lost.

use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Ending, Packet, TestBroker};

use super::kit::{self, payload};

const ROOM: usize = 100;

fn full_broker() -> TestBroker {
    let broker = TestBroker::start(|config| config.group_queue = ROOM);
    let mut gone = Client::connect(broker.address(), &Connect::new(5, "gone")).unwrap();
    gone.subscribe("$share/g/t", 1).unwrap();
    gone.unsubscribe("$share/g/t").unwrap();
    gone.end(Ending::Disconnect).unwrap();
    kit::publish(&broker, 5, "t", 0..ROOM, 1);
    broker
}

#[test]
fn on_5_the_publisher_is_told() {
    let broker = full_broker();
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    for qos in [1, 2] {
        let pkid = publisher.publish("t", b"x", qos, false).unwrap();
        assert_eq!(publisher.confirmed(pkid, qos).unwrap(), 0x97);
    }
    assert_eq!(broker.stats().dropped_group, 2);
    publisher.publish("t", b"x", 0, false).unwrap();
    publisher.ping().unwrap();
    assert_eq!(broker.stats().dropped_group, 3, "QoS 0 is counted");
    assert_eq!(broker.status().groups[0].waiting, ROOM);
}

#[test]
fn on_3_1_1_the_publisher_waits() {
    let broker = full_broker();
    let mut publisher = Client::connect(broker.address(), &Connect::new(4, "p")).unwrap();
    let pkids: Vec<u16> =
        (ROOM..ROOM + 50).map(|n| publisher.publish("t", kit::name(n).as_bytes(), 1, false).unwrap()).collect();
    publisher.ping().unwrap();
    assert_eq!(broker.status().groups[0].waiting, ROOM, "none was taken, and the connection still answers");
    let mut member = Client::connect(broker.address(), &Connect::new(4, "m")).unwrap();
    member.subscribe("$share/g/t", 1).unwrap();
    let all: Vec<String> = (0..ROOM + 50)
        .map(|_| {
            let message = member.messages(1).unwrap().remove(0);
            member.accept(&message).unwrap();
            payload(&message.payload)
        })
        .collect();
    assert_eq!(all, (0..ROOM + 50).map(kit::name).collect::<Vec<_>>());
    for pkid in pkids {
        publisher.confirmed(pkid, 1).unwrap();
    }
}

/// The publisher is the group's only member, on one connection: its acknowledgements make the room that its publishes
/// wait for.
#[test]
fn a_member_that_publishes_to_its_own_full_group_goes_on() {
    let broker = TestBroker::start(|config| {
        config.group_queue = 10;
        config.max_in_flight = 5;
    });
    let mut both = Client::connect(broker.address(), &Connect::new(4, "both")).unwrap();
    both.subscribe("$share/g/t", 1).unwrap();
    for n in 0..200 {
        both.publish("t", kit::name(n).as_bytes(), 1, false).unwrap();
    }
    let (mut got, mut confirmed) = (Vec::new(), 0);
    while got.len() < 200 || confirmed < 200 {
        match both.receive(Duration::from_secs(20)).unwrap() {
            Some(Packet::Publish(message)) => {
                both.accept(&message).unwrap();
                got.push(payload(&message.payload));
            }
            Some(Packet::Ack(4, ..)) => confirmed += 1,
            other => panic!("{} got, {confirmed} confirmed, then {other:?}", got.len()),
        }
    }
    assert_eq!(got, (0..200).map(kit::name).collect::<Vec<_>>());
}

/// One group's messages take what all may take: another's publishers wait, until the first group's are gone.
#[test]
fn what_all_hold_together_is_bounded() {
    let broker = TestBroker::start(|config| config.max_held_bytes = 100_000);
    for name in ["$share/a/a", "$share/b/b"] {
        let mut gone = Client::connect(broker.address(), &Connect::new(5, "gone")).unwrap();
        gone.subscribe(name, 1).unwrap();
        gone.end(Ending::Disconnect).unwrap();
    }
    let mut on_5 = Client::connect(broker.address(), &Connect::new(5, "five")).unwrap();
    let mut taken = 0;
    loop {
        let pkid = on_5.publish("a", &[b'x'; 10_000], 1, false).unwrap();
        match on_5.confirmed(pkid, 1).unwrap() {
            0 => taken += 1,
            0x97 => break,
            code => panic!("{code:#x}"),
        }
    }
    assert_eq!(taken, 10);
    let pkid = on_5.publish("b", b"x", 1, false).unwrap();
    assert_eq!(on_5.confirmed(pkid, 1).unwrap(), 0x97, "nor is there room in the other group");
    let mut on_4 = Client::connect(broker.address(), &Connect::new(4, "four")).unwrap();
    let waits = on_4.publish("b", b"late", 1, false).unwrap();
    on_4.ping().unwrap();
    assert_eq!(broker.status().groups[1].waiting, 0);
    let mut member = Client::connect(broker.address(), &Connect::new(4, "m")).unwrap();
    member.subscribe("$share/a/a", 1).unwrap();
    for _ in 0..taken {
        let message = member.messages(1).unwrap().remove(0);
        member.accept(&message).unwrap();
    }
    on_4.confirmed(waits, 1).unwrap();
    let held = broker.status().held_bytes;
    assert!((1..1000).contains(&held), "only the small one is left: {held}");
}
