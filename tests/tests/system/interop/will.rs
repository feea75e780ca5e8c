//! Wills: published when a client is gone without DISCONNECT, and only then.

use flotilla_load::rumqtt::{LinkOptions, Will};
use flotilla_tests::mqtt::TestBroker;

use super::peer::{Peer, VERSIONS, message, options, payloads};

fn with_will(client_id: &str, qos: u8, retain: bool) -> LinkOptions {
    let will = Will { topic: "will".to_owned(), payload: client_id.to_owned(), qos, retain };
    LinkOptions { will: Some(will), ..options(client_id) }
}

#[test]
fn a_connection_that_breaks_leaves_its_will_and_a_disconnect_takes_it_back() {
    for version in VERSIONS {
        let broker = TestBroker::start(|_| {});
        let mut watcher = Peer::connect(broker.address(), version, options("watcher"));
        watcher.subscribe("will", 2);
        for qos in 0..3 {
            let polite = Peer::connect(broker.address(), version, with_will("polite", qos, false));
            polite.leave();
            let broken = Peer::connect(broker.address(), version, with_will("broken", qos, false));
            drop(broken);
            let seen = watcher.take(1);
            assert_eq!(payloads(&seen), ["broken"], "{version:?}, QoS {qos}");
            assert_eq!((seen[0].qos, seen[0].retain), (qos, false));
        }
        drop(Peer::connect(broker.address(), version, with_will("kept", 1, true)));
        assert_eq!(payloads(&watcher.take(1)), ["kept"]);
        let mut late = Peer::connect(broker.address(), version, options("late"));
        late.subscribe("will", 1);
        assert!(late.take(1)[0].retain, "{version:?}: the will was to be retained");
        watcher.publish(vec![message("will", "end", 1)]);
        assert!(watcher.take_until("end").is_empty(), "{version:?}: a will came that was taken back");
    }
}
