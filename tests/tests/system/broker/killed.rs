//! A member goes away with messages that it did not acknowledge.

use flotilla_tests::mqtt::{Client, Connect, Ending, Publish, TestBroker};

use super::kit::{self, name, payload};

/// How the member goes away.
#[derive(Debug, Clone, Copy)]
enum Away {
    Ends(Ending),
    /// It says nothing any more, and its keep alive runs out.
    Silence,
}

const WAYS: [Away; 4] =
    [Away::Ends(Ending::Rst), Away::Ends(Ending::Fin), Away::Ends(Ending::Disconnect), Away::Silence];

fn member(broker: &TestBroker, options: &Connect, qos: u8) -> Client {
    let mut client = Client::connect(broker.address(), options).unwrap();
    assert_eq!(client.subscribe("$share/g/t/#", qos).unwrap(), qos);
    client
}

fn payloads(messages: &[Publish]) -> Vec<String> {
    messages.iter().map(|message| payload(&message.payload)).collect()
}

/// One of three holds 10 of 30 and goes away: the others get exactly those, in order.
fn unacknowledged_reach_the_others(version: u8, persistent: bool, away: Away, qos: u8) {
    let what = format!("version {version}, persistent {persistent}, {away:?}, QoS {qos}");
    let broker = TestBroker::start(|config| config.redispatch_after_ms = 100);
    let options = |id: &str| {
        let options = Connect::new(version, id);
        if persistent { options.persistent() } else { options }
    };
    let mut silent = options("victim");
    silent.keep_alive = u16::from(matches!(away, Away::Silence));
    let mut victim = member(&broker, &silent, qos);
    let mut others = [member(&broker, &options("a"), qos), member(&broker, &options("b"), qos)];
    kit::publish(&broker, version, "t/x", 0..30, qos);
    let held = payloads(&victim.messages(10).unwrap());
    let mut all: Vec<String> = held.clone();
    for other in &mut others {
        all.extend(payloads(&other.messages(10).unwrap()));
    }
    all.sort();
    assert_eq!(all, (0..30).map(name).collect::<Vec<_>>(), "{what}: shared out once each");
    let kept = match away {
        Away::Ends(how) => {
            victim.end(how).unwrap();
            None
        }
        Away::Silence => Some(victim),
    };
    let mut again = Vec::new();
    for other in &mut others {
        let messages = other.messages(5).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(messages.iter().all(|message| !message.dup), "{what}: first time for this member, so no DUP");
        let own = payloads(&messages);
        assert!(own.is_sorted(), "{what}: in order: {own:?}");
        again.extend(own);
    }
    again.sort();
    assert_eq!(again, held, "{what}: all that it held, once");
    assert_eq!(broker.stats().redelivered, 10, "{what}");
    drop(kept);
}

fn all_ways(version: u8, persistent: bool) {
    for away in WAYS {
        for qos in [1, 2] {
            unacknowledged_reach_the_others(version, persistent, away, qos);
        }
    }
}

#[test]
fn of_a_clean_session_on_3_1_1() {
    all_ways(4, false);
}

#[test]
fn of_a_persistent_session_on_3_1_1() {
    all_ways(4, true);
}

#[test]
fn of_a_clean_session_on_5() {
    all_ways(5, false);
}

#[test]
fn of_a_persistent_session_on_5() {
    all_ways(5, true);
}

/// Who comes back in time keeps what it held: it gets it again, marked DUP, in order, and nobody else does.
#[test]
fn a_member_that_is_back_in_time_keeps_its_messages() {
    for (version, qos) in [(4, 1), (4, 2), (5, 1), (5, 2)] {
        let broker = TestBroker::start(|config| config.redispatch_after_ms = 60_000);
        let options = Connect::new(version, "back").persistent();
        let mut back = member(&broker, &options, qos);
        let mut other = member(&broker, &Connect::new(version, "other"), qos);
        kit::publish(&broker, version, "t/x", 0..20, qos);
        let held = payloads(&back.messages(10).unwrap());
        other.messages(10).unwrap();
        back.end(Ending::Rst).unwrap();
        let mut back = Client::connect(broker.address(), &options).unwrap();
        assert!(back.session_present);
        let again = back.messages(10).unwrap();
        assert!(again.iter().all(|message| message.dup));
        assert_eq!(payloads(&again), held);
        other.ping().unwrap();
        assert_eq!(broker.stats().redelivered, 0);
    }
}

/// Three of four die at the same moment, holding three quarters.
#[test]
fn three_of_four_die_at_once() {
    for (version, persistent) in [(4, false), (4, true), (5, false), (5, true)] {
        let broker = TestBroker::start(|config| config.redispatch_after_ms = 100);
        let mut members: Vec<Client> = ["a", "b", "c", "d"]
            .map(|id| {
                let options = Connect::new(version, id);
                member(&broker, &if persistent { options.persistent() } else { options }, 1)
            })
            .into();
        kit::publish(&broker, version, "t/x", 0..400, 1);
        let mut survivor = members.remove(0);
        let mut seen = kit::Seen::new();
        let mut take = |survivor: &mut Client, count| {
            for message in survivor.messages(count).unwrap() {
                survivor.accept(&message).unwrap();
                *seen.entry(payload(&message.payload)).or_default() += 1;
            }
        };
        take(&mut survivor, 100);
        for victim in &mut members {
            victim.messages(100).unwrap();
        }
        for victim in members {
            victim.end(Ending::Rst).unwrap();
        }
        take(&mut survivor, 300);
        kit::each_once(&seen, 400);
    }
}
