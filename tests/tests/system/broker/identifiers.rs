//! QoS 2 over kills of the broker: a client takes a PUBLISH under an identifier that it holds for a repetition [MQTT-4.3.3],
//! so a broker that has forgotten which are held would lose messages.

use std::collections::BTreeSet;
use std::time::Duration;

use flotilla_tests::free_ports;
use flotilla_tests::mqtt::{BrokerProcess, Client, Connect, Packet};

use super::kit::{self, payload};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver at QoS 2 keeps: identifiers between PUBLISH and PUBREL, and the messages that it took.
#[derive(Default)]
struct Receiver {
    held: BTreeSet<u16>,
    took: BTreeSet<String>,
    /// Of `held`, those whose message is not answered.
    kept: BTreeSet<u16>,
}

impl Receiver {
    /// Handles one packet. A message is answered with PUBREC only if it is to be.
    fn handle(&mut self, client: &mut Client, answers: bool) {
        match client.receive(PATIENCE).unwrap().expect("more comes") {
            Packet::Publish(message) => {
                // One that is held already is a repetition, whatever is in it.
                if self.held.insert(message.pkid) {
                    self.took.insert(payload(&message.payload));
                }
                if answers {
                    self.kept.remove(&message.pkid);
                    client.ack(5, message.pkid).unwrap();
                } else {
                    self.kept.insert(message.pkid);
                }
            }
            Packet::Ack(6, pkid, ..) => {
                self.held.remove(&pkid);
                self.kept.remove(&pkid);
                client.ack(7, pkid).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

fn no_held_identifier_is_used_for_another_message(filter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [address] = free_ports().unwrap();
    let session = Connect { receive_maximum: 20, ..Connect::new(5, "session").persistent() };
    let mut receiver = Receiver::default();
    let mut published = BTreeSet::new();
    for round in 0..10 {
        let mut broker = BrokerProcess::start(address, folder.path()).unwrap();
        let mut own = Client::connect(address, &session).unwrap();
        assert_eq!(own.session_present, round > 0);
        own.subscribe(filter, 2).unwrap();
        let mut publisher = Client::connect(address, &Connect::new(5, "publisher")).unwrap();
        for n in round * 100..(round + 1) * 100 {
            let pkid = publisher.publish("t", kit::name(n).as_bytes(), 2, false).unwrap();
            assert!(publisher.confirmed(pkid, 2).unwrap() < 0x80);
            published.insert(kit::name(n));
        }
        // Every third of the first is held. The others are done with in every second round; in those between, the broker is
        // killed at some moment.
        let mut turn = 0;
        while turn < 30 + round || (round % 2 == 0 && (receiver.held != receiver.kept || receiver.took != published)) {
            receiver.handle(&mut own, turn % 3 > 0 || turn > 30);
            turn += 1;
        }
        // What was done with is off the disk when this is on it.
        let last = own.publish("other", b"last", 1, false).unwrap();
        own.confirmed(last, 1).unwrap();
        broker.kill().unwrap();
    }
    let _broker = BrokerProcess::start(address, folder.path()).unwrap();
    let mut own = Client::connect(address, &session).unwrap();
    assert!(own.session_present);
    own.subscribe(filter, 2).unwrap();
    while !published.is_subset(&receiver.took) {
        receiver.handle(&mut own, true);
    }
}

#[test]
fn of_a_session() {
    no_held_identifier_is_used_for_another_message("t");
}

#[test]
fn of_a_member_of_a_share_group() {
    no_held_identifier_is_used_for_another_message("$share/g/t");
}
