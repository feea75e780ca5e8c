//! Groups without members, and groups that share a name.

use std::time::Duration;

use flotilla_tests::eventually;
use flotilla_tests::mqtt::{Client, Connect, Ending, TestBroker};

use super::kit::{self, payload};

fn member(broker: &TestBroker, version: u8, id: &str, filter: &str) -> Client {
    let mut client = Client::connect(broker.address(), &Connect::new(version, id)).unwrap();
    client.subscribe(filter, 1).unwrap();
    client
}

/// The last member dies with un-acknowledged messages, more are published while there is none: whoever comes gets all,
/// in order.
#[test]
fn all_members_gone_loses_nothing() {
    for version in [4, 5] {
        let broker = TestBroker::start(|_| {});
        let mut last = member(&broker, version, "last", "$share/g/t");
        kit::publish(&broker, version, "t", 0..50, 1);
        last.messages(50).unwrap();
        last.end(Ending::Rst).unwrap();
        eventually("the broker saw it go", Duration::from_secs(10), || {
            (broker.status().groups[0].members.is_empty()).then_some(())
        })
        .unwrap();
        kit::publish(&broker, version, "t", 50..500, 1);
        let group = &broker.status().groups[0];
        assert_eq!((group.waiting, group.in_flight), (500, 0));
        let mut next = member(&broker, version, "next", "$share/g/t");
        let all: Vec<String> = next.messages(500).unwrap().iter().map(|message| payload(&message.payload)).collect();
        assert_eq!(all, (0..500).map(kit::name).collect::<Vec<_>>());
    }
}

/// A persistent member that unsubscribed or ended its session takes nothing with it.
#[test]
fn a_session_that_starts_clean_gives_back() {
    let broker = TestBroker::start(|_| {});
    let options = Connect::new(5, "same").persistent();
    let mut first = Client::connect(broker.address(), &options).unwrap();
    first.subscribe("$share/g/t", 1).unwrap();
    let mut other = member(&broker, 5, "other", "$share/g/t");
    kit::publish(&broker, 5, "t", 0..20, 1);
    first.messages(10).unwrap();
    other.messages(10).unwrap();
    let fresh = Client::connect(broker.address(), &Connect::new(5, "same")).unwrap();
    assert!(!fresh.session_present);
    other.messages(10).unwrap();
}

#[test]
fn two_filters_under_one_name_are_two_groups() {
    for version in [4, 5] {
        let broker = TestBroker::start(|_| {});
        let mut a = member(&broker, version, "a", "$share/g/x/a");
        let mut b = member(&broker, version, "b", "$share/g/x/b");
        kit::publish(&broker, version, "x/a", 0..10, 1);
        kit::publish(&broker, version, "x/b", 10..15, 1);
        let got = |client: &mut Client, count| {
            let messages = client.messages(count).unwrap();
            messages.iter().map(|message| payload(&message.payload)).collect::<Vec<_>>()
        };
        assert_eq!(got(&mut a, 10), (0..10).map(kit::name).collect::<Vec<_>>());
        assert_eq!(got(&mut b, 5), (10..15).map(kit::name).collect::<Vec<_>>());
        a.end(Ending::Rst).unwrap();
        eventually("its group has no members", Duration::from_secs(10), || {
            (broker.status().groups[0].waiting == 10).then_some(())
        })
        .unwrap();
        b.ping().unwrap();
        assert_eq!(broker.status().groups.len(), 2);
        assert_eq!(broker.status().groups[1].waiting, 0);
    }
}

/// Every QoS of the publisher with every QoS of the member.
#[test]
fn qos_is_the_lesser_of_both() {
    for version in [4, 5] {
        for (published, granted) in (0..3).flat_map(|p| (0..3).map(move |g| (p, g))) {
            let broker = TestBroker::start(|_| {});
            let mut one = Client::connect(broker.address(), &Connect::new(version, "one")).unwrap();
            one.subscribe("$share/g/t", granted).unwrap();
            kit::publish(&broker, version, "t", 0..100, published);
            let messages = one.messages(100).unwrap();
            assert!(messages.iter().all(|message| message.qos == published.min(granted)));
            for message in &messages {
                one.accept(message).unwrap();
            }
            one.message(Duration::from_millis(20)).unwrap();
            eventually("all is acknowledged", Duration::from_secs(10), || {
                one.message(Duration::from_millis(1)).unwrap();
                (broker.status().groups[0].in_flight == 0).then_some(())
            })
            .unwrap();
        }
    }
}
