//! What only MQTT 5 has.

use std::time::Duration;

use bytes::Bytes;
use flotilla_codec::Version;
use flotilla_load::rumqtt::{Message, PublishProperties};
use flotilla_tests::mqtt::TestBroker;
use rumqttc::v5::mqttbytes::v5::{
    Filter, LastWill, LastWillProperties, Packet, RetainForwardRule, SubscribeProperties,
};
use rumqttc::v5::mqttbytes::{QoS, v5::ConnAck};
use rumqttc::v5::{Client, Connection, Event, MqttOptions};

use super::peer::{Peer, message, options, payloads};

/// The next packet that passes; the connection may not end before.
fn until<T>(connection: &mut Connection, mut pass: impl FnMut(Packet) -> Option<T>) -> T {
    loop {
        let event = connection.recv_timeout(Duration::from_secs(30)).expect("a packet that passes");
        if let Event::Incoming(packet) = event.unwrap()
            && let Some(found) = pass(packet)
        {
            return found;
        }
    }
}

fn connack(packet: Packet) -> Option<ConnAck> {
    if let Packet::ConnAck(ack) = packet { Some(ack) } else { None }
}

fn plain(client_id: &str, broker: &TestBroker) -> MqttOptions {
    MqttOptions::new(client_id, "127.0.0.1", broker.address().port())
}

#[test]
fn properties_of_a_message_arrive_as_they_were_sent() {
    let broker = TestBroker::start(|_| {});
    let mut peer = Peer::connect(broker.address(), Version::V5, options("properties"));
    peer.subscribe("p", 2);
    let properties = PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(3600),
        topic_alias: None,
        response_topic: Some("answers/here".to_owned()),
        correlation_data: Some(Bytes::from_static(&[0, 255, 1])),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into()), ("ü".into(), String::new())],
        subscription_identifiers: Vec::new(),
        content_type: Some("text/plain".to_owned()),
    };
    for qos in 0..3 {
        peer.publish(vec![Message { properties: Some(properties.clone()), ..message("p", "x", qos) }]);
        let mut arrived = peer.take(1).remove(0).properties;
        assert!(arrived.message_expiry_interval.is_some_and(|left| (3590..=3600).contains(&left)));
        arrived.message_expiry_interval = properties.message_expiry_interval;
        assert_eq!(arrived, properties, "QoS {qos}");
    }
}

/// MQTT-3.3.2-12: a publisher may send the topic once and an alias afterwards.
#[test]
fn a_topic_alias_stands_for_its_topic() {
    let broker = TestBroker::start(|config| config.topic_alias_max = 4);
    let mut receiver = Peer::connect(broker.address(), Version::V5, options("receiver"));
    receiver.subscribe("long/topic", 1);
    let mut sender = Peer::connect(broker.address(), Version::V5, options("sender"));
    let alias = PublishProperties { topic_alias: Some(3), ..PublishProperties::default() };
    let aliased = |topic: &str, payload| Message { properties: Some(alias.clone()), ..message(topic, payload, 1) };
    sender.publish(vec![aliased("long/topic", "0"), aliased("", "1"), aliased("", "2")]);
    let arrived = receiver.take(3);
    assert_eq!(payloads(&arrived), ["0", "1", "2"]);
    assert!(arrived.iter().all(|one| one.topic == "long/topic"));
}

#[test]
fn subscription_options_and_identifiers_hold() {
    let broker = TestBroker::start(|_| {});
    let (client, mut connection) = Client::new(plain("subscriber", &broker), 100);
    until(&mut connection, connack);
    let mut other = Peer::connect(broker.address(), Version::V5, options("other"));
    other.publish(vec![Message { retain: true, ..message("o/kept", "past", 1) }]);
    let filter = |path: &str, rule| Filter {
        nolocal: true,
        preserve_retain: true,
        retain_forward_rule: rule,
        ..Filter::new(path, QoS::AtLeastOnce)
    };
    // No retained messages with the first (retain handling 2), all with the second.
    for (path, rule, id) in
        [("o/#", RetainForwardRule::Never, 7), ("o/kept", RetainForwardRule::OnEverySubscribe, 268_435_455)]
    {
        let properties = SubscribeProperties { id: Some(id), user_properties: Vec::new() };
        client.subscribe_many_with_properties([filter(path, rule)], properties).unwrap();
        until(&mut connection, |packet| matches!(packet, Packet::SubAck(_)).then_some(()));
    }
    let publish = |packet| if let Packet::Publish(publish) = packet { Some(publish) } else { None };
    let past = until(&mut connection, publish);
    assert!(past.retain && past.payload == "past");
    assert_eq!(past.properties.unwrap().subscription_identifiers, [268_435_455]);
    // Its own messages do not come back (No Local); another's come with the identifiers of all filters that match.
    client.publish("o/kept", QoS::AtLeastOnce, false, "own").unwrap();
    other.publish(vec![Message { retain: true, ..message("o/kept", "live", 1) }, message("o/x", "end", 1)]);
    let mut seen: Vec<(String, bool, Vec<usize>)> = Vec::new();
    while !seen.iter().any(|(payload, ..)| payload == "end") {
        let publish = until(&mut connection, publish);
        let mut ids = publish.properties.unwrap().subscription_identifiers;
        ids.sort_unstable();
        seen.push((String::from_utf8(publish.payload.to_vec()).unwrap(), publish.retain, ids));
    }
    let end = seen.pop().unwrap();
    assert_eq!(end, ("end".to_owned(), false, vec![7]));
    // One copy with both identifiers, or a copy for each (MQTT-3.3.4-2 to -5); each keeps the flag (retain as published).
    assert!(seen.iter().all(|(payload, retain, _)| payload == "live" && *retain), "{seen:?}");
    let mut ids: Vec<usize> = seen.into_iter().flat_map(|(.., ids)| ids).collect();
    ids.sort_unstable();
    assert_eq!(ids, [7, 268_435_455]);
}

#[test]
fn a_client_without_a_name_gets_one() {
    let broker = TestBroker::start(|_| {});
    let mut names = Vec::new();
    for _ in 0..2 {
        let (_client, mut connection) = Client::new(plain("", &broker), 10);
        let ack = until(&mut connection, connack);
        names.push(ack.properties.unwrap().assigned_client_identifier.expect("MQTT-3.2.2-16"));
    }
    assert_ne!(names[0], names[1]);
}

/// A will with a delay is not published when its session goes on in time (MQTT-3.1.3-9), and is when it ends.
#[test]
fn a_delayed_will_waits_for_the_session() {
    let broker = TestBroker::start(|_| {});
    let mut watcher = Peer::connect(broker.address(), Version::V5, options("watcher"));
    watcher.subscribe("will", 1);
    let with_will = |clean: bool| {
        let properties = LastWillProperties {
            delay_interval: Some(3600),
            payload_format_indicator: Some(1),
            message_expiry_interval: None,
            content_type: Some("text/plain".to_owned()),
            response_topic: None,
            correlation_data: None,
            user_properties: vec![("from".to_owned(), "will".to_owned())],
        };
        let mut options = plain("delayed", &broker);
        options.set_clean_start(clean).set_session_expiry_interval(Some(3600));
        options.set_last_will(LastWill::new("will", "late", QoS::AtLeastOnce, false, Some(properties)));
        options
    };
    for clean in [false, false, true] {
        let (client, mut connection) = Client::new(with_will(clean), 10);
        until(&mut connection, connack);
        drop((client, connection));
    }
    // The third connection began anew: the session of the first two ended, and their one will with it.
    let will = watcher.take(1).remove(0);
    assert_eq!(will.payload, "late");
    assert_eq!(will.properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(will.properties.user_properties, [("from".to_owned(), "will".to_owned())]);
    watcher.publish(vec![message("will", "end", 1)]);
    assert!(watcher.take_until("end").is_empty(), "a will came before its delay");
}
