//! Messages that their holder's process did not survive: they say how often, and are handed out alone.

use std::time::{Duration, Instant};

use flotilla_codec::agreed;
use flotilla_tests::mqtt::{Client, Connect, Ending, Publish, TestBroker};

use super::kit::{self, payload};

fn connect(broker: &TestBroker, member: &str, process: &str) -> Client {
    let properties = [(agreed::MEMBER, member), (agreed::PROCESS, process)];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Connect { properties, ..Connect::new(5, process) };
    Client::connect(broker.address(), &options).unwrap()
}

fn join(broker: &TestBroker, member: &str, process: &str, order: &str) -> Client {
    let mut client = connect(broker, member, process);
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
    let mut member = join(&broker, "r1", "process-0", order);
    for n in 0..20 {
        let pkid = publisher.publish(&format!("t/{n}"), kit::name(n).as_bytes(), 1, false).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    // Message 7 kills whoever gets it; the first two times with all the others.
    for round in 0..2 {
        let got = member.messages(20).unwrap();
        assert!(got.iter().all(|message| deaths(message) == (round, 0)), "round {round}: {got:?}");
        member.end(Ending::Rst).unwrap();
        member = join(&broker, "r1", &format!("process-{}", round + 1), order);
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
            member = join(&broker, "r1", &format!("killed-{killed}"), order);
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

/// A member that had no room for a suspect, which another member took then, is given what comes afterwards: no
/// acknowledgement is due from it that would ask for more.
fn who_waited_for_a_suspect_is_not_forgotten(order: &str) {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "r1", "process-0", order);
    publisher.publish("t/suspect", b"suspect", 1, false).unwrap();
    member.messages(1).unwrap();
    member.end(Ending::Rst).unwrap();
    let mut member = join(&broker, "r1", "process-1", order);
    assert_eq!(deaths(&member.messages(1).unwrap()[0]).0, 1);
    member.end(Ending::Rst).unwrap();

    // The first holds something else, so the suspect waits for it: until another comes that holds nothing.
    let mut busy = connect(&broker, "r2", "process-2");
    busy.subscribe_with(&["other"], 1, &[]).unwrap();
    publisher.publish("other", b"other", 1, false).unwrap();
    let other = busy.messages(1).unwrap().remove(0);
    busy.subscribe_with(&["$share/g/t/#"], 1, &[(agreed::ORDER, order)]).unwrap();
    let mut names = 0..;
    let (mut free, suspect) = loop {
        let name = format!("r3-{}", names.next().unwrap());
        let mut free = join(&broker, &name, &name, order);
        // By key it is for whom it belongs to, which not each name is.
        if let Some(suspect) = free.message(Duration::from_millis(200)).unwrap() {
            break (free, suspect);
        }
        free.end(Ending::Disconnect).unwrap();
    };
    assert_eq!(payload(&suspect.payload), "suspect");
    busy.accept(&other).unwrap();

    for n in 0..20 {
        let pkid = publisher.publish(&format!("t/{n}"), kit::name(n).as_bytes(), 1, false).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    let mut got = busy.messages(1).unwrap();
    free.accept(&suspect).unwrap();
    for message in &got {
        busy.accept(message).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while got.len() < 20 {
        assert!(Instant::now() < deadline, "{} of 20 came", got.len());
        for member in [&mut busy, &mut free] {
            if let Some(message) = member.message(Duration::from_millis(20)).unwrap() {
                member.accept(&message).unwrap();
                got.push(message);
            }
        }
    }
}

#[test]
fn who_waited_for_a_suspect_is_not_forgotten_by_key() {
    who_waited_for_a_suspect_is_not_forgotten(agreed::ORDER_KEYED);
}

#[test]
fn who_waited_for_a_suspect_is_not_forgotten_without_order() {
    who_waited_for_a_suspect_is_not_forgotten(agreed::ORDER_NONE);
}

/// A connection that was cut, a session that was ended, a stop: nobody died.
#[test]
fn a_cut_connection_convicts_nobody() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "r1", "same", agreed::ORDER_KEYED);
    publisher.publish("t/a", b"x", 1, false).unwrap();
    for _ in 0..5 {
        assert_eq!(deaths(&member.messages(1).unwrap()[0]), (0, 0));
        member.end(Ending::Rst).unwrap();
        member = join(&broker, "r1", "same", agreed::ORDER_KEYED);
    }
    member.messages(1).unwrap();
    member.end(Ending::Disconnect).unwrap();
    let mut other = join(&broker, "r1", "other", agreed::ORDER_KEYED);
    assert_eq!(deaths(&other.messages(1).unwrap()[0]), (0, 0), "it had shown up each time, and said goodbye at last");
    other.end(Ending::Disconnect).unwrap();
}

/// Publishers cannot say it in the broker's place.
#[test]
fn a_publisher_cannot_claim_deaths() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "r1", "m", agreed::ORDER_KEYED);
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

/// Whoever started a process knows of its end, before or after the broker sees its connection end: nobody waits for its return.
#[test]
fn what_a_process_held_goes_on_when_its_end_is_known() {
    for order in [agreed::ORDER_KEYED, agreed::ORDER_NONE] {
        for told_first in [true, false] {
            let broker = TestBroker::start(|config| config.redispatch_after_ms = 3_600_000);
            let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
            let mut dies = join(&broker, "r1", "process-1", order);
            for n in 0..20 {
                let pkid = publisher.publish(&format!("t/{n}"), kit::name(n).as_bytes(), 1, false).unwrap();
                publisher.confirmed(pkid, 1).unwrap();
            }
            assert_eq!(dies.messages(20).unwrap().len(), 20);
            let mut lives = join(&broker, "r2", "process-2", order);
            if told_first {
                broker.process_ended("process-1");
                assert_eq!(lives.message(Duration::from_millis(50)).unwrap(), None, "it may still have said something");
            }
            dies.end(Ending::Rst).unwrap();
            if !told_first {
                let gone = || (broker.status().connections == 2).then_some(());
                flotilla_tests::eventually("the end of its connection", Duration::from_secs(20), gone).unwrap();
                broker.process_ended("process-1");
            }
            assert_eq!(lives.messages(20).unwrap().len(), 20, "{order}, told first: {told_first}");
        }
    }
}
