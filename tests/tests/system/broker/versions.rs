//! 3.1.1 and 5 on one port, and what the broker says about itself.

use flotilla_tests::mqtt::{Client, Connect, TestBroker};

use super::kit;

#[test]
fn connack_says_that_groups_redispatch() {
    let broker = TestBroker::start(|_| {});
    let client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    let told = &client.told.user;
    assert!(told.iter().any(|(name, _)| name == "flotilla-redispatch"), "{told:?}");
}

#[test]
fn both_versions_meet() {
    let broker = TestBroker::start(|_| {});
    for (from, to) in [(4, 5), (5, 4)] {
        let mut subscriber = Client::connect(broker.address(), &Connect::new(to, "s")).unwrap();
        subscriber.subscribe("t/+", 2).unwrap();
        kit::publish(&broker, from, "t/x", 0..10, 2);
        let got: Vec<String> = subscriber.messages(10).unwrap().iter().map(|m| kit::payload(&m.payload)).collect();
        assert_eq!(got, (0..10).map(kit::name).collect::<Vec<_>>());
    }
}
