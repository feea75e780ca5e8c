//! Retained messages.

use flotilla_load::rumqtt::Message;
use flotilla_tests::mqtt::TestBroker;

use super::peer::{Peer, VERSIONS, message, options, payloads};

fn retained(topic: &str, payload: &str, qos: u8) -> Message {
    Message { retain: true, ..message(topic, payload, qos) }
}

#[test]
fn the_last_one_of_each_topic_goes_to_who_subscribes_later() {
    for version in VERSIONS {
        let broker = TestBroker::start(|_| {});
        let mut sender = Peer::connect(broker.address(), version, options("sender"));
        let mut live = Peer::connect(broker.address(), version, options("live"));
        live.subscribe("r/#", 1);
        let cleared = [retained("r/c", "gone", 1), retained("r/c", "", 1)];
        let kept = [retained("r/a", "old", 0), retained("r/a", "new", 1), retained("r/b", "two", 2)];
        for message in kept.into_iter().chain(cleared).chain([message("r/x", "end", 1)]) {
            sender.publish(vec![message]);
        }
        let seen = live.take_until("end");
        assert_eq!(payloads(&seen), ["old", "new", "two", "gone", ""], "{version:?}");
        assert!(seen.iter().all(|one| !one.retain), "{version:?}: the flag is for messages of the past (MQTT-3.3.1-9)");

        let mut late = Peer::connect(broker.address(), version, options("late"));
        late.subscribe("r/#", 2);
        sender.publish(vec![message("r/x", "end", 1)]);
        let mut seen = late.take_until("end");
        seen.sort_by(|one, other| one.topic.cmp(&other.topic));
        assert_eq!(payloads(&seen), ["new", "two"], "{version:?}");
        assert!(seen.iter().all(|one| one.retain), "{version:?}: MQTT-3.3.1-8");
        assert_eq!(seen.iter().map(|one| one.qos).collect::<Vec<_>>(), [1, 2]);
    }
}
