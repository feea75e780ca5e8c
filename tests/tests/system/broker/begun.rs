//! Retained messages when a share group begins: the group gets each once.

use std::time::Duration;

use flotilla_codec::agreed;
use flotilla_tests::mqtt::{Client, Connect, Publish, TestBroker};

use super::kit::{self, payload};

const FILTER: &str = "$share/g/state/#";

fn join(broker: &TestBroker, name: &str, token: &str) -> Client {
    let mut client = Client::connect(broker.address(), &Connect::new(5, name)).unwrap();
    let user = [(agreed::ORDER, agreed::ORDER_KEYED), (agreed::RETAINED_ONCE, token)];
    assert_eq!(client.subscribe_with(&[FILTER], 1, &user).unwrap().0, [1]);
    client
}

fn retain(client: &mut Client, topic: &str, text: &str) {
    let pkid = client.publish(topic, text.as_bytes(), 1, true).unwrap();
    assert!(client.confirmed(pkid, 1).unwrap() < 0x80);
}

fn take(client: &mut Client) -> Vec<Publish> {
    client.ping().unwrap();
    let all: Vec<_> = std::iter::from_fn(|| client.message(Duration::from_millis(100)).unwrap()).collect();
    all.iter().for_each(|message| client.accept(message).unwrap());
    all
}

#[test]
fn each_retained_message_comes_once_to_the_group() {
    const TOPICS: usize = 300;
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    for n in 0..TOPICS {
        retain(&mut publisher, &format!("state/{n}"), &kit::name(n));
    }
    let mut first = join(&broker, "r1", "node-1");
    let mut second = join(&broker, "r2", "node-1");
    let mut got = take(&mut first);
    got.extend(take(&mut second));
    got.extend(take(&mut first));
    assert!(got.iter().all(|message| message.retain), "they say that they are retained");
    let mut texts: Vec<_> = got.iter().map(|message| payload(&message.payload)).collect();
    texts.sort_unstable();
    assert_eq!(texts, (0..TOPICS).map(kit::name).collect::<Vec<_>>());
    // A live message is no retained one, and a member that comes later is given nothing.
    retain(&mut publisher, "state/0", "new");
    let mut third = join(&broker, "r3", "node-1");
    let mut got = take(&mut first);
    got.extend(take(&mut second));
    got.extend(take(&mut third));
    let got: Vec<_> = got.iter().map(|message| (message.retain, payload(&message.payload))).collect();
    assert_eq!(got, [(false, "new".to_owned())]);
    // A deploy that restarts the node begins it anew.
    let mut fourth = join(&broker, "r4", "node-2");
    let count: usize = [&mut first, &mut second, &mut third, &mut fourth].map(|client| take(client).len()).iter().sum();
    assert_eq!(count, TOPICS);
    // So does a group whose members had all left.
    drop((first, second, third, fourth));
    flotilla_tests::eventually("all have left", Duration::from_secs(20), || {
        broker.status().groups[0].members.is_empty().then_some(())
    })
    .unwrap();
    assert_eq!(take(&mut join(&broker, "r5", "node-2")).len(), TOPICS);
}

/// Older messages of a topic that wait in the group come before its retained message, newer ones after it.
#[test]
fn a_retained_message_has_its_place_among_the_others() {
    let broker = TestBroker::start(|_| {});
    let mut publisher = Client::connect(broker.address(), &Connect::new(5, "p")).unwrap();
    drop(join(&broker, "r0", "before"));
    flotilla_tests::eventually("it has left", Duration::from_secs(20), || {
        broker.status().groups[0].members.is_empty().then_some(())
    })
    .unwrap();
    retain(&mut publisher, "state/a", "1");
    retain(&mut publisher, "state/a", "2");
    let mut member = join(&broker, "r1", "now");
    retain(&mut publisher, "state/a", "3");
    let got: Vec<_> = take(&mut member).iter().map(|message| (payload(&message.payload), message.retain)).collect();
    let expected = [("1", false), ("2", false), ("2", true), ("3", false)];
    assert_eq!(got, expected.map(|(text, retain)| (text.to_owned(), retain)));
}
