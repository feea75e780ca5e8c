//! What a broker with `--persist` must not lose, however it ends.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::time::Duration;

use flotilla_tests::free_ports;
use flotilla_tests::mqtt::{BrokerProcess, Client, Connect, Ending, Packet, TestBroker};

use super::kit::{self, payload};

/// Topics by the last digit: a persistent session's, a share group's, a retained one of its own.
fn topic(n: usize) -> String {
    match n % 3 {
        0 => "queued".to_owned(),
        1 => "shared".to_owned(),
        _ => format!("retained/{n}"),
    }
}

/// Publishes with a window of 50 until `count` are confirmed; the rest of the window is in flight then.
fn load(
    publisher: &mut Client,
    waiting: &mut HashMap<u16, usize>,
    from: usize,
    count: usize,
    confirmed: &mut BTreeSet<usize>,
) -> usize {
    let (mut next, mut done) = (from, 0);
    while done < count {
        while waiting.len() < 50 {
            let qos = 1 + (next % 2) as u8;
            let pkid = publisher.publish(&topic(next), kit::name(next).as_bytes(), qos, next % 3 == 2).unwrap();
            waiting.insert(pkid, next);
            next += 1;
        }
        match publisher.receive(Duration::from_secs(20)).unwrap().expect("an acknowledgement") {
            Packet::Ack(kind @ 4..=5, pkid, reason, _) if reason < 0x80 => {
                // From PUBACK or PUBREC on, the broker is responsible.
                confirmed.insert(waiting.remove(&pkid).expect("of a message in flight"));
                done += 1;
                if kind == 5 {
                    publisher.ack(6, pkid).unwrap();
                }
            }
            Packet::Ack(7, ..) => {}
            other => panic!("{other:?}"),
        }
    }
    next
}

/// Takes everything that waits for `client`.
fn drain(client: &mut Client, into: &mut BTreeSet<usize>, until: impl Fn(&BTreeSet<usize>) -> bool) {
    while !until(into) {
        let message = client.message(Duration::from_secs(20)).unwrap();
        let message = message.unwrap_or_else(|| panic!("nothing more comes; {} came", into.len()));
        into.insert(payload(&message.payload).parse().unwrap());
        client.accept(&message).unwrap();
    }
}

#[test]
fn killed_twenty_times_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let [address] = free_ports().unwrap();
    let session = Connect::new(5, "session").persistent();
    let (mut confirmed, mut queued, mut shared) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut next = 0;
    for round in 0..20 {
        let mut broker = BrokerProcess::start(address, folder.path()).unwrap();
        let mut own = Client::connect(address, &session).unwrap();
        assert_eq!(own.session_present, round > 0, "round {round}");
        if round == 0 {
            own.subscribe("queued", 2).unwrap();
        }
        let mut member = Client::connect(address, &Connect::new(4, "member")).unwrap();
        member.subscribe("$share/g/shared", 1).unwrap();
        let mut publisher = Client::connect(address, &Connect::new(5, "publisher")).unwrap();
        let mut waiting = HashMap::new();
        next = load(&mut publisher, &mut waiting, next, 150 + round * 10, &mut confirmed);
        // Some are acknowledged, some are in flight, some wait, when it dies.
        let (some, more) = (queued.len() + 20, shared.len() + 20);
        drain(&mut own, &mut queued, |seen| seen.len() >= some);
        drain(&mut member, &mut shared, |seen| seen.len() >= more);
        next = load(&mut publisher, &mut waiting, next, 100, &mut confirmed);
        broker.kill().unwrap();
    }
    let _broker = BrokerProcess::start(address, folder.path()).unwrap();
    let of = |rest: usize| confirmed.iter().copied().filter(|n| n % 3 == rest).collect::<BTreeSet<usize>>();
    let mut own = Client::connect(address, &session).unwrap();
    assert!(own.session_present);
    drain(&mut own, &mut queued, |seen| of(0).is_subset(seen));
    let mut member = Client::connect(address, &Connect::new(4, "member")).unwrap();
    member.subscribe("$share/g/shared", 1).unwrap();
    drain(&mut member, &mut shared, |seen| of(1).is_subset(seen));
    let mut reader = Client::connect(address, &Connect::new(4, "reader")).unwrap();
    reader.subscribe("retained/#", 1).unwrap();
    drain(&mut reader, &mut BTreeSet::new(), |seen| of(2).is_subset(seen));
    assert!(confirmed.len() > 20 * 250, "{} confirmed", confirmed.len());
}

/// In order, exactly once, with the subscription identifiers of QoS 2's packet ids kept: over an orderly end.
#[test]
fn an_orderly_end_keeps_all() {
    let folder = tempfile::tempdir().unwrap();
    let start = || TestBroker::start(|config| config.persist = Some(folder.path().to_owned()));
    let session = Connect::new(5, "s").persistent();
    {
        let broker = start();
        let mut own = Client::connect(broker.address(), &session).unwrap();
        own.subscribe("t", 2).unwrap();
        own.end(Ending::Disconnect).unwrap();
        let mut group = Client::connect(broker.address(), &Connect::new(5, "m")).unwrap();
        group.subscribe("$share/g/t", 1).unwrap();
        group.end(Ending::Disconnect).unwrap();
        kit::publish(&broker, 5, "t", 0..200, 2);
        assert_eq!(broker.status().groups[0].waiting, 200);
    }
    let broker = start();
    let mut own = Client::connect(broker.address(), &session).unwrap();
    assert!(own.session_present);
    let got = |client: &mut Client| {
        let all: Vec<String> = (0..200)
            .map(|_| {
                let message = client.messages(1).unwrap().remove(0);
                client.accept(&message).unwrap();
                payload(&message.payload)
            })
            .collect();
        assert_eq!(all, (0..200).map(kit::name).collect::<Vec<_>>());
    };
    got(&mut own);
    let mut member = Client::connect(broker.address(), &Connect::new(4, "n")).unwrap();
    member.subscribe("$share/g/t", 1).unwrap();
    got(&mut member);
    assert_eq!(own.message(Duration::from_millis(50)).unwrap(), None);
}

/// A file that is not the broker's, or is damaged, is refused by name and left as it is.
#[test]
fn a_foreign_or_torn_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broker.db");
    let with = || TestBroker::refusal(|config| config.persist = Some(folder.path().to_owned()));
    for (bytes, says) in [
        (b"some text that somebody else wrote ".repeat(10), "not a file of this broker's"),
        (b"short".to_vec(), "damaged"),
    ] {
        fs::write(&file, &bytes).unwrap();
        let error = with();
        assert!(error.contains(says) && error.contains("broker.db"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    fs::remove_file(&file).unwrap();
    {
        let broker = TestBroker::start(|config| config.persist = Some(folder.path().to_owned()));
        let error = with();
        assert!(error.contains("in use"), "{error}");
        let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
        for n in 0..500 {
            let pkid = client.publish(&format!("r/{n}"), &[b'x'; 500], 1, true).unwrap();
            client.confirmed(pkid, 1).unwrap();
        }
    }
    let log = folder.path().join("broker.db-wal");
    fs::write(&log, "what somebody else put there").unwrap();
    let error = with();
    assert!(error.contains("not a file of this broker's") && error.contains("broker.db-wal"), "{error}");
    assert_eq!(fs::read(&log).unwrap(), b"what somebody else put there");
    fs::remove_file(&log).unwrap();
    let whole = fs::read(&file).unwrap();
    let torn = whole[..whole.len() / 2].to_vec();
    fs::write(&file, &torn).unwrap();
    let error = with();
    assert!(error.contains("damaged"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), torn);
}
