//! Delivery by key: what one topic carries goes to one member at a time, in order, whoever comes and goes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use flotilla_broker::Strategy;
use flotilla_codec::agreed;
use flotilla_tests::eventually;
use flotilla_tests::mqtt::{BrokerProcess, Client, Connect, Ending, Publish, TestBroker};

use super::kit::{self, payload};

const KEYED: [(&str, &str); 1] = [(agreed::ORDER, agreed::ORDER_KEYED)];
const FILTER: &str = "$share/g/t/#";

/// A replica's consuming client: a stable name, a process of its own.
fn replica(name: &str, process: &str, window: u16) -> Connect {
    let properties = [(agreed::MEMBER, name), (agreed::PROCESS, process)];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Connect { receive_maximum: window, properties, ..Connect::new(5, name) }
}

fn join(broker: &TestBroker, name: &str, window: u16) -> Client {
    let mut client = Client::connect(broker.address(), &replica(name, name, window)).unwrap();
    assert_eq!(client.subscribe_with(&[FILTER], 1, &KEYED).unwrap().0, [1]);
    client
}

fn publish(publisher: &mut Client, topic: &str, range: std::ops::Range<usize>) {
    let sent: Vec<u16> = range.map(|n| publisher.publish(topic, kit::name(n).as_bytes(), 1, false).unwrap()).collect();
    for pkid in sent {
        assert!(publisher.confirmed(pkid, 1).unwrap() < 0x80);
    }
}

/// All that comes until nothing more does.
fn take(client: &mut Client) -> Vec<Publish> {
    client.ping().unwrap();
    std::iter::from_fn(|| client.message(Duration::from_millis(100)).unwrap()).collect()
}

#[test]
fn members_ask_for_it_and_others_keep_the_configured_strategy() {
    let broker = TestBroker::start(|_| {});
    let mut foreign = Client::connect(broker.address(), &Connect::new(5, "foreign")).unwrap();
    foreign.subscribe("$share/other/t/#", 1).unwrap();
    let member = join(&broker, "r1", 100);
    assert!(member.told.user.iter().any(|(name, _)| name == agreed::KEYED), "{:?}", member.told.user);
    let strategies: Vec<_> = broker.status().groups.iter().map(|group| group.strategy).collect();
    assert_eq!(strategies, [Strategy::Keyed, Strategy::LeastInFlight]);
    let mut again = Client::connect(broker.address(), &replica("r2", "r2", 10)).unwrap();
    let key = [KEYED[0], (agreed::ORDER_KEY, "t/#")];
    let (codes, why) = again.subscribe_with(&[FILTER], 1, &key).unwrap();
    assert!(codes == [0x80] && why.contains("order key \"t/#\": it chooses no level"), "{codes:?} {why}");
    let set = TestBroker::start(|config| config.group_strategies = vec!["g=sticky".parse().unwrap()]);
    let _member = join(&set, "r1", 100);
    assert_eq!(set.status().groups[0].strategy, Strategy::Sticky, "what was set has the last word");
}

/// Members join, leave, die and come back while 20 topics are published on; each acknowledges in its own time, in any
/// order across topics. Per topic, the first time that each message is seen never steps back.
#[test]
fn order_by_topic_holds_through_joins_and_deaths() {
    const TOPICS: usize = 20;
    const EACH: usize = 150;
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut members: BTreeMap<usize, (Client, Vec<Publish>)> = BTreeMap::new();
    let mut next_seen = [0; TOPICS];
    let mut done: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut random = 7u64;
    let mut dice = move |sides: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % sides
    };
    let mut published = 0;
    // The group begins with its first member.
    members.insert(0, (join(&broker, "r0", 12), Vec::new()));
    let until = Instant::now() + Duration::from_secs(60);
    while done.values().map(BTreeSet::len).sum::<usize>() < TOPICS * EACH {
        assert!(Instant::now() < until, "{done:?}");
        if published < EACH {
            for topic in 0..TOPICS {
                publish(&mut publisher, &format!("t/{topic}"), published..published + 1);
            }
            published += 1;
        }
        let number = dice(4) as usize;
        match dice(12) {
            0 | 1 if !members.contains_key(&number) => {
                members.insert(number, (join(&broker, &format!("r{number}"), 12), Vec::new()));
            }
            2 if members.len() > 1 => {
                if let Some((client, _)) = members.remove(&number) {
                    client.end(if dice(2) == 0 { Ending::Rst } else { Ending::Fin }).unwrap();
                }
            }
            _ => {}
        }
        if members.is_empty() {
            members.insert(0, (join(&broker, "r0", 12), Vec::new()));
        }
        for (client, held) in members.values_mut() {
            while let Some(message) = client.message(Duration::from_millis(1)).unwrap() {
                let topic: usize = message.topic[2..].parse().unwrap();
                let number: usize = payload(&message.payload).parse().unwrap();
                assert!(number <= next_seen[topic], "{number} of topic {topic} comes before {}", next_seen[topic]);
                next_seen[topic] = next_seen[topic].max(number + 1);
                held.push(message);
            }
            for _ in 0..dice(8) {
                if held.is_empty() {
                    break;
                }
                let topic = held[dice(held.len() as u64) as usize].topic.clone();
                let at = held.iter().position(|message| message.topic == topic).unwrap();
                let message = held.remove(at);
                client.accept(&message).unwrap();
                done.entry(topic).or_default().insert(payload(&message.payload));
            }
        }
    }
}

/// A member comes: the topics that are its own now wait until their former holder has finished.
#[test]
fn a_topic_changes_hands_when_nothing_of_it_is_in_flight() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut first = join(&broker, "r1", 1000);
    for topic in 0..30 {
        publish(&mut publisher, &format!("t/{topic}"), 0..2);
    }
    let held = first.messages(60).unwrap();
    let mut second = join(&broker, "r2", 1000);
    for topic in 0..30 {
        publish(&mut publisher, &format!("t/{topic}"), 2..3);
    }
    let stayed: BTreeSet<String> = take(&mut first).into_iter().map(|message| message.topic).collect();
    assert!((5..26).contains(&stayed.len()), "about half of them: {stayed:?}");
    assert_eq!(take(&mut second), [], "what moves waits");
    for message in held.iter().filter(|message| !stayed.contains(&message.topic)) {
        first.accept(message).unwrap();
    }
    let moved: BTreeSet<String> = second.messages(30 - stayed.len()).unwrap().into_iter().map(|m| m.topic).collect();
    assert!(moved.is_disjoint(&stayed), "{moved:?} {stayed:?}");
}

/// A member with a full window keeps its topics for 5 s; then those of which it has nothing go to the other.
#[test]
fn a_member_that_does_not_get_on_loses_its_idle_topics() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let (mut slow, mut other) = (join(&broker, "r1", 4), join(&broker, "r2", 1000));
    // So many that some are the slow one's, which takes four and stands still.
    for topic in 0..40 {
        publish(&mut publisher, &format!("t/{topic}"), 0..1);
    }
    let mut got: BTreeSet<String> = BTreeSet::new();
    let mut collect = |other: &mut Client| {
        for message in take(other) {
            other.accept(&message).unwrap();
            got.insert(message.topic);
        }
        got.len()
    };
    let at_once = collect(&mut other);
    assert!((5..36).contains(&at_once), "{at_once}");
    let held = slow.messages(4).unwrap();
    eventually("all but what it holds", Duration::from_secs(30), || (collect(&mut other) == 36).then_some(())).unwrap();
    for message in &held {
        slow.accept(message).unwrap();
    }
    // It gets on: after a while it has topics again.
    let begun = Instant::now();
    let mut round = 0;
    eventually("it has topics again", Duration::from_secs(30), || {
        round += 1;
        for topic in 0..40 {
            publish(&mut publisher, &format!("t/{topic}"), round..round + 1);
        }
        take(&mut other).iter().for_each(|message| other.accept(message).unwrap());
        let own = take(&mut slow);
        own.iter().for_each(|message| slow.accept(message).unwrap());
        (!own.is_empty()).then_some(())
    })
    .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25));
}

/// A connection that is lost while its session stays: topics of which it has nothing go to others at once, those of which
/// it has something wait for it, or for the redispatch.
#[test]
fn topics_of_a_lost_connection_move_at_once_if_nothing_is_in_flight() {
    let broker = TestBroker::start(|config| config.redispatch_after_ms = 3_600_000);
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let options = Connect { expiry: 3600, ..replica("r1", "r1", 1000) };
    let mut lost = Client::connect(broker.address(), &options).unwrap();
    lost.subscribe_with(&[FILTER], 1, &KEYED).unwrap();
    let mut other = join(&broker, "r2", 1000);
    for topic in 0..20 {
        publish(&mut publisher, &format!("t/{topic}"), 0..1);
    }
    let held: BTreeSet<String> = take(&mut lost).into_iter().map(|message| message.topic).collect();
    assert!((2..19).contains(&held.len()), "{held:?}");
    take(&mut other).iter().for_each(|message| other.accept(message).unwrap());
    lost.end(Ending::Rst).unwrap();
    eventually("the broker notices", Duration::from_secs(20), || (broker.status().connections == 2).then_some(()))
        .unwrap();
    for topic in 0..40 {
        publish(&mut publisher, &format!("t/{topic}"), 1..2);
    }
    let got: BTreeSet<String> = other.messages(40 - held.len()).unwrap().into_iter().map(|m| m.topic).collect();
    assert!(got.is_disjoint(&held), "{got:?} {held:?}");
}

/// A slow topic holds up no other: its messages take at most three quarters of the window, and acknowledgements come in
/// any order across topics.
#[test]
fn a_slow_topic_holds_up_no_other() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "r1", 16);
    publish(&mut publisher, "t/slow", 0..50);
    assert_eq!(take(&mut member).len(), 12);
    for n in 0..20 {
        publish(&mut publisher, "t/quick", n..n + 1);
        let message = member.messages(1).unwrap().remove(0);
        assert_eq!(message.topic, "t/quick");
        member.accept(&message).unwrap();
    }
}

/// What a process publishes ends with its membership: nothing of it comes after what others make anew.
#[test]
fn the_outputs_of_a_member_that_lost_its_messages_end() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    let mut member = join(&broker, "r1", 16);
    let properties = vec![(agreed::OUTPUTS_OF.to_owned(), "r1".to_owned())];
    let outputs = Connect { properties, ..Connect::new(5, "r1-out") };
    let mut outputs = Client::connect(broker.address(), &outputs).unwrap();
    outputs.ping().unwrap();
    publish(&mut publisher, "t/a", 0..1);
    member.messages(1).unwrap();
    member.end(Ending::Rst).unwrap();
    let end = outputs.receive(Duration::from_secs(20)).unwrap();
    assert_eq!(end, Some(flotilla_tests::mqtt::Packet::Disconnect(0x98)));
}

/// After a restart of a broker that persists, a group waits for its members: their topics do not go to whoever is first.
#[test]
fn a_group_waits_for_its_members_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let [address] = flotilla_tests::free_ports().unwrap();
    let mut broker = BrokerProcess::start(address, folder.path()).unwrap();
    let member = |name: &str| {
        let mut client = Client::connect(address, &replica(name, name, 100)).unwrap();
        client.subscribe_with(&[FILTER], 1, &KEYED).unwrap();
        client
    };
    let (first, second) = (member("r1"), member("r2"));
    let mut publisher = Client::connect(address, &Connect::new(5, "p")).unwrap();
    for topic in 0..20 {
        publish(&mut publisher, &format!("t/{topic}"), 0..1);
    }
    broker.kill().unwrap();
    drop((first, second, publisher));
    let _broker = BrokerProcess::start(address, folder.path()).unwrap();
    let mut first = member("r1");
    let early = take(&mut first).len();
    let mut second = member("r2");
    assert_eq!(early, 0, "nothing before both are back, or the time is over");
    let topics = |client: &mut Client| -> BTreeSet<String> {
        let mut got = BTreeSet::new();
        while let Some(message) = client.message(Duration::from_secs(if got.is_empty() { 15 } else { 1 })).unwrap() {
            got.insert(message.topic);
        }
        got
    };
    let (a, b) = (topics(&mut first), topics(&mut second));
    assert_eq!((a.len() + b.len(), a.is_disjoint(&b)), (20, true), "{a:?} {b:?}");
    assert!(!a.is_empty() && !b.is_empty());
}
