//! Each QoS, each protocol: every message once and in order.

use flotilla_tests::mqtt::TestBroker;

use super::peer::{Peer, VERSIONS, message, numbered, options, payloads, texts};

/// The QoS that arrives is the lower one of what was published and what was granted (MQTT-3.8.4-8).
#[test]
fn every_message_arrives_once_and_in_order_at_the_lower_qos() {
    let broker = TestBroker::start(|_| {});
    for (from, to) in VERSIONS.into_iter().flat_map(|from| VERSIONS.map(|to| (from, to))) {
        for (published, granted) in (0..3).flat_map(|published| (0..3).map(move |granted| (published, granted))) {
            let mut receiver = Peer::connect(broker.address(), to, options("receiver"));
            receiver.subscribe("q/+", granted);
            let mut sender = Peer::connect(broker.address(), from, options("sender"));
            sender.publish(numbered("q/x", 0..300, published));
            sender.publish(vec![message("q/x", "end", published)]);
            let arrived = receiver.take_until("end");
            let case = format!("{from:?} at QoS {published} to {to:?} at QoS {granted}");
            assert_eq!(payloads(&arrived), texts(0..300), "{case}");
            assert!(arrived.iter().all(|one| one.qos == published.min(granted) && !one.retain && !one.dup), "{case}");
            assert!(arrived.iter().all(|one| one.topic == "q/x"), "{case}");
            receiver.leave();
            sender.leave();
        }
    }
}

/// Payloads around the steps of the remaining length (one, two, three bytes of it), and one just below the broker's bound (1 MiB).
#[test]
fn every_size_of_packet_arrives_whole() {
    let broker = TestBroker::start(|_| {});
    for version in VERSIONS {
        let mut peer = Peer::connect(broker.address(), version, options("sizes"));
        peer.subscribe("size", 2);
        for size in [0, 1, 100, 127, 128, 16_370, 16_383, 16_384, 1_000_000] {
            for qos in 0..3 {
                let payload = "x".repeat(size);
                peer.publish(vec![message("size", &payload, qos)]);
                let arrived = peer.take(1).remove(0);
                assert!(arrived.payload == payload.as_bytes(), "{version:?}, {size} bytes at QoS {qos}");
                assert_eq!(arrived.qos, qos);
            }
        }
    }
}
