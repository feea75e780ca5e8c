//! A member that takes nothing does not hold up the others, and loses nothing when it dies.

use std::time::Duration;

use flotilla_broker::Strategy;
use flotilla_tests::eventually;
use flotilla_tests::mqtt::{Client, Connect, Ending, TestBroker};

use super::kit::{self, Worker};

const MESSAGES: usize = 1000;

fn member(broker: &TestBroker, options: &Connect) -> Client {
    let mut client = Client::connect(broker.address(), options).unwrap();
    client.subscribe("$share/g/t/#", 1).unwrap();
    client
}

fn one_thousand(version: u8, strategy: Strategy, ending: Ending, qos: u8) {
    let broker = TestBroker::start(|config| {
        config.strategy = strategy;
        config.redispatch_after_ms = 100;
    });
    let stalled = member(&broker, &Connect::new(version, "stalled"));
    let workers = ["a", "b"].map(|id| Worker::start(member(&broker, &Connect::new(version, id))));
    kit::publish(&broker, version, "t/x", 0..MESSAGES, qos);
    let held = |broker: &TestBroker| {
        let members = &broker.status().groups[0].members;
        members.iter().find(|member| member.client_id == "stalled").map_or(0, |member| member.in_flight)
    };
    let kept = held(&broker);
    assert!(kept > 0, "the stalled member was given its share");
    eventually("the others got all the rest", Duration::from_secs(20), || {
        (workers.iter().map(Worker::count).sum::<usize>() == MESSAGES - kept).then_some(())
    })
    .unwrap();
    stalled.end(ending).unwrap();
    eventually("the others got what it held", Duration::from_secs(20), || {
        (workers.iter().map(Worker::count).sum::<usize>() >= MESSAGES).then_some(())
    })
    .unwrap();
    kit::each_once(&kit::merge(workers.map(Worker::end)), MESSAGES);
    assert_eq!(broker.stats().redelivered, kept as u64);
}

#[test]
fn of_1000_none_is_lost_on_3_1_1() {
    one_thousand(4, Strategy::LeastInFlight, Ending::Rst, 1);
    one_thousand(4, Strategy::RoundRobin, Ending::Fin, 1);
}

#[test]
fn of_1000_none_is_lost_on_5() {
    one_thousand(5, Strategy::RoundRobin, Ending::Rst, 1);
    one_thousand(5, Strategy::LeastInFlight, Ending::Disconnect, 2);
}

/// A member gets no more than its receive maximum, whatever the strategy.
#[test]
fn receive_maximum_is_kept() {
    for strategy in
        [Strategy::LeastInFlight, Strategy::RoundRobin, Strategy::Random, Strategy::Sticky, Strategy::TopicHash]
    {
        let broker = TestBroker::start(|config| config.strategy = strategy);
        let mut options = Connect::new(5, "few");
        options.receive_maximum = 7;
        let mut few = member(&broker, &options);
        kit::publish(&broker, 5, "t/x", 0..50, 1);
        let first = few.messages(7).unwrap();
        assert_eq!(few.message(Duration::from_millis(100)).unwrap(), None, "{strategy:?}");
        few.accept(&first[0]).unwrap();
        few.messages(1).unwrap();
        assert_eq!(broker.status().groups[0].waiting, 42, "{strategy:?}");
    }
}
