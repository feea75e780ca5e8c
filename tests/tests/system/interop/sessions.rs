//! Sessions that outlive their connection.

use flotilla_load::rumqtt::LinkOptions;
use flotilla_tests::mqtt::TestBroker;

use super::peer::{Peer, VERSIONS, kept, message, numbered, options, payloads, texts};

#[test]
fn a_kept_session_gets_what_came_meanwhile_once_and_in_order() {
    for version in VERSIONS {
        let broker = TestBroker::start(|_| {});
        let mut away = Peer::connect(broker.address(), version, kept("away"));
        assert!(!away.resumed);
        away.subscribe("s", 2);
        away.leave();
        let mut sender = Peer::connect(broker.address(), version, options("sender"));
        sender.publish(numbered("s", 0..200, 1));
        sender.publish(numbered("s", 200..400, 2));
        sender.publish(vec![message("s", "end", 1)]);
        let mut back = Peer::connect(broker.address(), version, kept("away"));
        assert!(back.resumed, "{version:?}: session present (MQTT-3.2.2-3)");
        assert_eq!(payloads(&back.take_until("end")), texts(0..400), "{version:?}");
        back.finish(401);
        back.leave();
        // What was acknowledged does not come again, and a clean start begins anew.
        let mut again = Peer::connect(broker.address(), version, kept("away"));
        sender.publish(vec![message("s", "end", 1)]);
        assert!(again.resumed && again.take_until("end").is_empty(), "{version:?}");
        again.finish(1);
        again.leave();
        assert!(!Peer::connect(broker.address(), version, options("away")).resumed, "{version:?}");
    }
}

/// MQTT-4.4.0-1: what was sent and not acknowledged comes again on the next connection, marked, before anything newer.
#[test]
fn what_was_not_acknowledged_comes_again_as_a_duplicate() {
    for version in VERSIONS {
        let broker = TestBroker::start(|_| {});
        let manual = || LinkOptions { manual_acks: true, ..kept("manual") };
        let mut receiver = Peer::connect(broker.address(), version, manual());
        receiver.subscribe("d", 1);
        let mut sender = Peer::connect(broker.address(), version, options("sender"));
        sender.publish(numbered("d", 0..10, 1));
        let arrived = receiver.take(10);
        for one in &arrived[..4] {
            receiver.ack(one);
        }
        // DISCONNECT keeps the session, and goes out behind the acknowledgements.
        receiver.leave();
        sender.publish(numbered("d", 10..12, 1));
        let mut receiver = Peer::connect(broker.address(), version, manual());
        let arrived = receiver.take(8);
        assert_eq!(payloads(&arrived), texts(4..12), "{version:?}");
        let marked: Vec<bool> = arrived.iter().map(|one| one.dup).collect();
        assert_eq!(marked, [true, true, true, true, true, true, false, false], "{version:?}");
    }
}
