//! Refusals on MQTT 5 say why, to who wants to know and has room for it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Packet, TestBroker};

/// A broker that allows `own/#` and nothing else. With `folder`, answers come by way of the disk.
fn strict(folder: &tempfile::TempDir, persist: bool) -> TestBroker {
    let acl = folder.path().join("acl");
    fs::write(&acl, "* both own/#\n").unwrap();
    let disk: Option<PathBuf> = persist.then(|| folder.path().join("disk"));
    TestBroker::start(|config| {
        config.acl = Some(acl);
        config.persist = disk;
        config.deny_subscribe = vec!["own/secret".to_owned()];
        config.max_subscriptions = 2;
    })
}

/// The acknowledgement of a publish: reason code and reason string.
fn published(client: &mut Client, topic: &str, qos: u8) -> (u8, String) {
    let pkid = client.publish(topic, b"x", qos, false).unwrap();
    match client.receive(Duration::from_secs(20)).unwrap() {
        Some(Packet::Ack(kind, id, code, why)) if kind == 3 + qos && id == pkid => (code, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_publish_that_is_not_allowed() {
    for persist in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let broker = strict(&folder, persist);
        let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
        for qos in [1, 2] {
            let why = "not allowed for this client: plant/1".to_owned();
            assert_eq!(published(&mut client, "plant/1", qos), (0x87, why));
            assert_eq!(published(&mut client, "own/1", qos), (0x10, String::new()), "success says nothing");
            let long = published(&mut client, &"x".repeat(5000), qos).1;
            assert!(long.len() < 200 && long.ends_with("xxx..."), "{long}");
        }
    }
}

#[test]
fn a_subscription_that_is_not_taken() {
    for persist in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let broker = strict(&folder, persist);
        let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
        let told = |codes: &[u8], why: &str| (codes.to_vec(), why.to_owned());
        let first = client.subscribe_all(&["own/1", "plant/#", "other/#"], 1).unwrap();
        assert_eq!(first, told(&[1, 0x87, 0x87], "not allowed for this client: plant/#"));
        assert_eq!(
            client.subscribe_all(&["own/#/x"], 1).unwrap(),
            told(&[0x8F], "the topic filter is not valid: own/#/x")
        );
        assert_eq!(
            client.subscribe_all(&["own/secret"], 1).unwrap(),
            told(&[0x80], "the broker's settings refuse this subscription (deny-subscribe): own/secret")
        );
        assert_eq!(
            client.subscribe_all(&["own/2", "own/3"], 1).unwrap(),
            told(&[1, 0x97], "this client has 2 subscriptions, all that it may (max-subscriptions): own/3")
        );
        assert_eq!(client.subscribe_all(&["own/1", "own/2"], 0).unwrap(), told(&[0, 0], ""));
        client.send(b"\xA2\x0D\x00\x63\x00\x00\x03a#b\x00\x03own").unwrap();
        let answer = client.receive(Duration::from_secs(20)).unwrap();
        let why = "the topic filter is not valid: a#b".to_owned();
        assert_eq!(answer, Some(Packet::UnsubAck(0x63, vec![0x8F, 0x11], why)));
    }
}

#[test]
fn a_full_share_group() {
    for (bytes, said) in [(1 << 20, "1 messages wait"), (1, "1 bytes of messages wait")] {
        let broker = TestBroker::start(|config| {
            config.group_queue = if bytes > 1 { 1 } else { 10 };
            config.group_queue_bytes = bytes;
        });
        let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
        client.subscribe("$share/g/t", 1).unwrap();
        client.unsubscribe("$share/g/t").unwrap();
        assert_eq!(published(&mut client, "t", 1), (0, String::new()));
        for qos in [1, 2] {
            let (code, why) = published(&mut client, "t", qos);
            assert_eq!(code, 0x97);
            let setting = if bytes > 1 { "(group-queue)" } else { "(group-queue-bytes)" };
            assert!(why.starts_with(said) && why.contains(setting) && why.ends_with("when there is room"), "{why}");
        }
    }
}

#[test]
fn an_unknown_packet_identifier() {
    let broker = TestBroker::start(|_| {});
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    for (sent, answered) in [(6, 7), (5, 6)] {
        client.ack(sent, 99).unwrap();
        let why = "the packet identifier is not in use".to_owned();
        let answer = client.receive(Duration::from_secs(20)).unwrap();
        assert_eq!(answer, Some(Packet::Ack(answered, 99, 0x92, why)));
    }
}

/// Request problem information 0 belongs to the connection: the next one of the session may ask again.
#[test]
fn who_asks_for_no_reason_strings_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let broker = strict(&folder, false);
    for (wanted, why) in [(Some(0), ""), (Some(1), "not allowed for this client: a"), (Some(0), "")] {
        let options = Connect { problem_info: wanted, ..Connect::new(5, "c").persistent() };
        // The connection before is still there, and is taken over.
        let mut client = Client::connect(broker.address(), &options).unwrap();
        for qos in [1, 2] {
            assert_eq!(published(&mut client, "a", qos), (0x87, why.to_owned()));
        }
        assert_eq!(client.subscribe_all(&["a"], 0).unwrap(), (vec![0x87], why.to_owned()));
        let mut next = Client::connect(broker.address(), &options).unwrap();
        next.ack(6, 99).unwrap();
        let unknown = if wanted == Some(0) { "" } else { "the packet identifier is not in use" };
        let answer = next.receive(Duration::from_secs(20)).unwrap();
        assert_eq!(answer, Some(Packet::Ack(7, 99, 0x92, unknown.to_owned())));
    }
}

#[test]
fn no_reason_string_makes_a_packet_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let broker = strict(&folder, false);
    let whole = "not allowed for this client: plant".len() + 10;
    let bare = "not allowed for this client".len() + 10;
    for (room, why) in [
        (whole - 1, "not allowed for this client: plant"),
        (whole - 2, "not allowed for this client"),
        (bare - 1, "not allowed for this client"),
        (bare - 2, ""),
    ] {
        let options = Connect { max_packet: Some(room as u32), ..Connect::new(5, "c") };
        let mut client = Client::connect(broker.address(), &options).unwrap();
        // Fixed header 2, packet identifier 2, code 1, length of the properties 1, reason string 3 and its text.
        assert_eq!(published(&mut client, "plant", 1), (0x87, why.to_owned()), "{room} bytes");
        assert_eq!(client.subscribe_all(&["plant"], 1).unwrap(), (vec![0x87], why.to_owned()), "{room} bytes");
    }
}

#[test]
fn version_3_1_1_is_told_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let broker = strict(&folder, false);
    let mut client = Client::connect(broker.address(), &Connect::new(4, "c")).unwrap();
    assert_eq!(published(&mut client, "plant", 1), (0, String::new()));
    assert_eq!(client.subscribe_all(&["plant", "own/1"], 1).unwrap(), (vec![0x80, 1], String::new()));
}
