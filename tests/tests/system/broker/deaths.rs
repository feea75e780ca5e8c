//! Messages that their holder's process did not survive: they say how often, and are handed out alone.

use std::time::Duration;

use flotilla_codec::agreed;
use flotilla_tests::mqtt::{Client, Connect, Ending, Publish, TestBroker};

use super::kit::{self, payload};

fn join(broker: &TestBroker, process: &str, order: &str) -> Client {
    let properties = [(agreed::MEMBER, "r1"), (agreed::PROCESS, process)];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Connect { properties, ..Connect::new(5, process) };
    let mut client = Client::connect(broker.address(), &options).unwrap();
    client.subscribe_with(&["$share/g/t/#"], 1, &[(agreed::ORDER, order)]).unwrap();
    client
}

/// Deaths, and deaths alone, as the broker tells them.
fn deaths(message: &Publish) -> (u32, u32) {
    let of = |wanted: &str| {
        let found = message.user.iter().find(|(name, _)| name == wanted);
        found.map_or(0, |(_, value)| value.parse().unwrap())
    };
    (of(agreed::DEATHS), of(agreed::DEATHS_ALONE))
}

fn poison_is_found(order: &str) {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "process-0", order);
    for n in 0..20 {
        let pkid = publisher.publish(&format!("t/{n}"), kit::name(n).as_bytes(), 1, false).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    // Message 7 kills whoever gets it; the first two times with all the others.
    for round in 0..2 {
        let got = member.messages(20).unwrap();
        assert!(got.iter().all(|message| deaths(message) == (round, 0)), "round {round}: {got:?}");
        member.end(Ending::Rst).unwrap();
        member = join(&broker, &format!("process-{}", round + 1), order);
    }
    // From now on each comes alone; after three deaths alone it is given up.
    let (mut finished, mut killed) = (0, 0);
    while finished < 20 {
        let message = member.messages(1).unwrap().remove(0);
        assert_eq!(member.message(Duration::from_millis(20)).unwrap(), None, "nothing beside a suspect");
        if payload(&message.payload) == kit::name(7) {
            assert_eq!(deaths(&message), (2 + killed, killed));
            if killed == 3 {
                finished += 1;
                member.accept(&message).unwrap();
                continue;
            }
            killed += 1;
            member.end(Ending::Fin).unwrap();
            member = join(&broker, &format!("killed-{killed}"), order);
        } else {
            assert_eq!(deaths(&message), (2, 0), "who is there when it is not alone is not blamed more");
            finished += 1;
            member.accept(&message).unwrap();
        }
    }
    assert_eq!(killed, 3);
    // What nobody died with comes as ever.
    for _ in 0..3 {
        publisher.publish("t/x", b"good", 1, false).unwrap();
    }
    assert!(member.messages(3).unwrap().iter().all(|message| deaths(message) == (0, 0)));
}

#[test]
fn a_message_that_kills_its_holders_is_found_by_key() {
    poison_is_found(agreed::ORDER_KEYED);
}

#[test]
fn a_message_that_kills_its_holders_is_found_without_order() {
    poison_is_found(agreed::ORDER_NONE);
}

/// A connection that was cut, a session that was ended, a stop: nobody died.
#[test]
fn a_cut_connection_convicts_nobody() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "same", agreed::ORDER_KEYED);
    publisher.publish("t/a", b"x", 1, false).unwrap();
    for _ in 0..5 {
        assert_eq!(deaths(&member.messages(1).unwrap()[0]), (0, 0));
        member.end(Ending::Rst).unwrap();
        member = join(&broker, "same", agreed::ORDER_KEYED);
    }
    member.messages(1).unwrap();
    member.end(Ending::Disconnect).unwrap();
    let mut other = join(&broker, "other", agreed::ORDER_KEYED);
    assert_eq!(deaths(&other.messages(1).unwrap()[0]), (0, 0), "it had shown up each time, and said goodbye at last");
    other.end(Ending::Disconnect).unwrap();
}

/// Publishers cannot say it in the broker's place.
#[test]
fn a_publisher_cannot_claim_deaths() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "m", agreed::ORDER_KEYED);
    let mut forward = bytes::BytesMut::new();
    for (name, value) in [("a", "b"), (agreed::DEATHS, "9"), (agreed::DEATHS_ALONE, "9")] {
        flotilla_codec::put_forwarded(&mut forward, &flotilla_codec::Forwarded::User(name, value));
    }
    let packet = flotilla_codec::PublishOut { forward: &forward, ..flotilla_codec::PublishOut::new(b"t/a", b"x") };
    let mut out = bytes::BytesMut::new();
    flotilla_codec::publish(&mut out, flotilla_codec::Version::V5, &packet);
    publisher.send(&out).unwrap();
    assert_eq!(member.messages(1).unwrap()[0].user, [("a".to_owned(), "b".to_owned())]);
}
