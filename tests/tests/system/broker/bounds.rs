//! What one client may take of the broker's memory: retained messages and subscriptions.

use std::time::Duration;

use flotilla_tests::eventually;
use flotilla_tests::mqtt::{Client, Connect, Packet, TestBroker};

fn retain(client: &mut Client, topic: &str) -> u8 {
    let pkid = client.publish(topic, b"kept", 1, true).unwrap();
    client.confirmed(pkid, 1).unwrap()
}

/// A retained message at QoS 0 that expires after a second, as bytes of MQTT 5.
fn expiring(topic: &str) -> Vec<u8> {
    let mut packet = vec![0x31, topic.len() as u8 + 9, 0, topic.len() as u8];
    packet.extend(topic.as_bytes());
    packet.extend([5, 2, 0, 0, 0, 1, b'x']);
    packet
}

#[test]
fn where_nothing_is_retained_clients_are_told() {
    let broker = TestBroker::start(|config| {
        config.max_retained = 0;
        config.sys_interval = 1;
    });
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    assert_eq!(client.told.retain_available, Some(false));
    client.subscribe("#", 0).unwrap();
    client.subscribe("$SYS/broker/uptime", 0).unwrap();
    assert!(client.message(Duration::from_secs(20)).unwrap().unwrap().topic.starts_with("$SYS/"));
    assert_eq!(broker.stats().dropped_retained, 0, "the broker's own do not count");
    client.publish("t", b"x", 1, true).unwrap();
    let answer = eventually("DISCONNECT", Duration::from_secs(20), || match client.receive(Duration::from_secs(1)) {
        Ok(Some(Packet::Publish(message))) if message.topic.starts_with("$SYS") => None,
        Ok(None) => None,
        other => Some(other),
    });
    assert_eq!(answer.unwrap().unwrap(), Some(Packet::Disconnect(0x9A)));
    // 3.1.1 has no word for it: the message goes on, and is not retained.
    let mut old = Client::connect(broker.address(), &Connect::new(4, "old")).unwrap();
    old.subscribe("t", 1).unwrap();
    assert_eq!(retain(&mut old, "t"), 0);
    assert_eq!(old.messages(1).unwrap()[0].payload, b"kept");
    assert_eq!((broker.stats().dropped_retained, broker.status().retained), (1, 0));
    let some = TestBroker::start(|_| {});
    let client = Client::connect(some.address(), &Connect::new(5, "c")).unwrap();
    assert_eq!(client.told.retain_available, None);
}

/// Expired retained messages go without anybody asking for them, and make room before that.
#[test]
fn what_expired_goes_by_itself() {
    let broker = TestBroker::start(|config| {
        config.max_retained = 3000;
        config.sys_interval = 0;
    });
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    assert_eq!(retain(&mut client, "stays"), 0x10);
    let batch: Vec<u8> = (0..2999).flat_map(|n| expiring(&format!("e/{n}"))).collect();
    client.send(&batch).unwrap();
    client.ping().unwrap();
    let (full, bytes) = (broker.status().retained, broker.status().retained_bytes);
    assert!(full > 1 && bytes > 2000 * 100, "{full} of {bytes} bytes");
    eventually("they go", Duration::from_secs(20), || (broker.status().retained == 1).then_some(())).unwrap();
    assert!(broker.status().retained_bytes < 1000, "{}", broker.status().retained_bytes);
    assert_eq!(client.subscribe("#", 0).unwrap(), 0);
    assert_eq!(client.messages(1).unwrap()[0].topic, "stays");
}

/// Every level of a topic is memory: deep ones fill the bound by what they take.
#[test]
fn deep_topics_count_by_their_levels() {
    let broker = TestBroker::start(|config| {
        config.max_retained_bytes = 1 << 20;
        config.sys_interval = 0;
    });
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    for n in 0..200 {
        retain(&mut client, &format!("{n}{}", "/x".repeat(127)));
    }
    let status = broker.status();
    assert!((20..150).contains(&status.retained) && status.retained_bytes <= 1 << 20, "{status:?}");
    assert_eq!(broker.stats().dropped_retained, 200 - status.retained as u64);
}

/// The same of subscriptions; what is given up can be used again.
#[test]
fn subscriptions_have_so_many_bytes() {
    let broker = TestBroker::start(|config| config.max_subscription_bytes = 1 << 20);
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c").persistent()).unwrap();
    let deep = |n: usize| format!("{n}{}", "/x".repeat(127));
    let taken = (0..1000).take_while(|n| client.subscribe(&deep(*n), 0).unwrap() == 0).count();
    assert!((20..150).contains(&taken), "{taken}");
    let (codes, why) = client.subscribe_all(&[&deep(taken)], 0).unwrap();
    assert_eq!(codes, [0x97]);
    assert!(why.contains("max-subscription-bytes"), "{why}");
    assert_eq!(client.subscribe(&deep(0), 1).unwrap(), 1, "one that it has may change");
    client.unsubscribe(&deep(0)).unwrap();
    assert_eq!(client.subscribe(&deep(taken), 0).unwrap(), 0);
}

/// All clients' filters together have a bound, those of share groups that nobody is in any more, too.
#[test]
fn filters_have_so_many_bytes() {
    let broker = TestBroker::start(|config| config.max_filter_bytes = 1 << 20);
    let deep = |n: usize| format!("$share/g/{n}{}", "/x".repeat(127));
    let mut taken = 0;
    let refused = loop {
        let mut client = Client::connect(broker.address(), &Connect::new(5, &format!("c{taken}"))).unwrap();
        match client.subscribe_all(&[&deep(taken)], 0).unwrap() {
            (codes, _) if codes == [0] => taken += 1,
            refused => break refused,
        }
        assert!(taken < 1000, "no end of it");
    };
    assert_eq!(refused.0, [0x97]);
    assert!(refused.1.contains("max-filter-bytes"), "{}", refused.1);
    assert!((20..150).contains(&taken), "{taken}");
}

/// Sessions that outlive their connection are kept up to a number; clean ones come in all the same, and those that are
/// kept already.
#[test]
fn sessions_that_are_kept_have_a_bound() {
    let broker = TestBroker::start(|config| config.max_sessions = 20);
    for n in 0..20 {
        let id = format!("kept-{n}");
        Client::connect(broker.address(), &Connect::new(5, &id).persistent()).unwrap();
    }
    let (refused, code) = Client::try_connect(broker.address(), &Connect::new(5, "more").persistent()).unwrap();
    assert!(code == 0x97 && refused.told.text.contains("max-sessions"), "0x{code:02x} {}", refused.told.text);
    assert_eq!(Client::try_connect(broker.address(), &Connect::new(4, "more").persistent()).unwrap().1, 3);
    Client::connect(broker.address(), &Connect::new(5, "clean")).unwrap();
    let again = Client::connect(broker.address(), &Connect::new(5, "kept-7").persistent()).unwrap();
    assert!(again.session_present);
}

/// A CONNECT has a bound of its own, long before that of messages; who announces more is closed at once.
#[test]
fn a_connect_has_a_bound_of_its_own() {
    let broker = TestBroker::start(|_| {});
    let mut stream = std::net::TcpStream::connect(broker.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A million bytes, of which the first few come.
    std::io::Write::write_all(&mut stream, &[0x10, 0xC0, 0x84, 0x3D, 0, 4, b'M', b'Q', b'T', b'T', 5, 2]).unwrap();
    assert_eq!(std::io::Read::read(&mut stream, &mut [0; 16]).unwrap(), 0);
    let large = Connect { will: Some(("t".to_owned(), "x".repeat(60_000))), ..Connect::new(5, &"i".repeat(60_000)) };
    Client::connect(broker.address(), &large).unwrap();
}
