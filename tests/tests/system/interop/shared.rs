//! Shared subscriptions: each message once between the members, and none lost with one of them.

use std::time::Duration;

use flotilla_codec::Version;
use flotilla_load::rumqtt::LinkOptions;
use flotilla_tests::eventually;
use flotilla_tests::mqtt::TestBroker;

use super::peer::{Peer, VERSIONS, message, numbered, options, payloads, texts};

const MESSAGES: usize = 300;

fn sorted(mut numbers: Vec<String>) -> Vec<String> {
    numbers.sort_by_key(|number| number.parse::<usize>().unwrap());
    numbers
}

#[test]
fn members_of_both_protocols_get_each_message_once_between_them() {
    let broker = TestBroker::start(|_| {});
    for qos in 0..3 {
        let mut members = [
            Peer::connect(broker.address(), Version::V4, options("m0")),
            Peer::connect(broker.address(), Version::V5, options("m1")),
            Peer::connect(broker.address(), Version::V5, options("m2")),
        ];
        for member in &mut members {
            member.subscribe("$share/g/work/#", qos);
        }
        let mut whole = Peer::connect(broker.address(), Version::V5, options("whole"));
        whole.subscribe("work/#", qos);
        let mut sender = Peer::connect(broker.address(), Version::V5, options("sender"));
        sender.publish(numbered("work/x", 0..MESSAGES, qos));
        assert_eq!(payloads(&whole.take(MESSAGES)), texts(0..MESSAGES), "beside the group, QoS {qos}");
        let (mut seen, mut shares) = (Vec::new(), [0; 3]);
        eventually("every message at a member", Duration::from_secs(30), || {
            for (member, share) in members.iter_mut().zip(&mut shares) {
                let arrived = payloads(&member.take_now());
                *share += arrived.len();
                seen.extend(arrived);
            }
            (seen.len() >= MESSAGES).then_some(())
        })
        .unwrap();
        assert!(shares.iter().all(|share| *share > 0), "QoS {qos}: {shares:?}");
        assert_eq!(sorted(seen), texts(0..MESSAGES), "QoS {qos}");
        for (number, member) in members.iter_mut().enumerate() {
            let topic = format!("own/{number}");
            member.subscribe(&topic, 1);
            sender.publish(vec![message(&topic, "end", 1)]);
            assert!(member.take_until("end").is_empty(), "member {number} got more at QoS {qos}");
        }
    }
}

#[test]
fn what_a_member_did_not_acknowledge_goes_to_the_others() {
    for version in VERSIONS {
        for qos in [1, 2] {
            let broker = TestBroker::start(|_| {});
            let lazy = LinkOptions { manual_acks: true, ..options("lazy") };
            let mut lazy = Peer::connect(broker.address(), version, lazy);
            lazy.subscribe("$share/g/work", qos);
            let mut sender = Peer::connect(broker.address(), version, options("sender"));
            sender.publish(numbered("work", 0..50, qos));
            assert_eq!(payloads(&lazy.take(50)), texts(0..50));
            let mut other = Peer::connect(broker.address(), version, options("other"));
            other.subscribe("$share/g/work", qos);
            drop(lazy);
            let got = other.take(50);
            assert_eq!(payloads(&got), texts(0..50), "{version:?}, QoS {qos}");
            assert!(got.iter().all(|one| !one.dup), "it is their first delivery to this client");
        }
    }
}
