//! Whose a session is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Ending, TestBroker};

/// "secret", bcrypt with the least cost that there is.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const ACL: &str = "ann both secret/#\nann publish in/%c/x\nbob both bob/#\n";

fn start(folder: &Path, persist: bool, users: bool) -> TestBroker {
    fs::write(folder.join("users"), format!("ann:{HASH}\nbob:{HASH}\n")).unwrap();
    fs::write(folder.join("acl"), ACL).unwrap();
    TestBroker::start(|config| {
        if users {
            config.users = Some(folder.join("users"));
            config.acl = Some(folder.join("acl"));
        }
        config.persist = persist.then(|| folder.join("state"));
    })
}

fn user(name: &str, options: Connect) -> Connect {
    Connect { user: Some((name.to_owned(), "secret".to_owned())), ..options }
}

/// Bob tries ann's ClientID in every way; ann has her session all the same.
fn bob_is_refused(broker: &TestBroker) {
    for version in [4, 5] {
        for clean in [false, true] {
            let options = user("bob", Connect { clean, ..Connect::new(version, "ann1") });
            let (client, code) = Client::try_connect(broker.address(), &options).unwrap();
            assert_eq!(code, if version == 5 { 0x85 } else { 2 }, "clean: {clean}");
            if version == 5 {
                assert!(client.told.text.contains("another user"), "{}", client.told.text);
            }
        }
    }
}

/// Rights are checked at SUBSCRIBE; so nobody else may resume what was subscribed, or end it.
#[test]
fn a_session_is_its_users_own() {
    for persist in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut broker = start(folder.path(), persist, true);
        let ann = user("ann", Connect::new(5, "ann1").persistent());
        let mut own = Client::connect(broker.address(), &ann).unwrap();
        assert_eq!(own.subscribe("secret/#", 1).unwrap(), 1);
        bob_is_refused(&broker);
        own.ping().expect("ann is still connected");
        own.end(Ending::Disconnect).unwrap();
        let mut other = Client::connect(broker.address(), &user("ann", Connect::new(5, "ann2"))).unwrap();
        let pkid = other.publish("secret/x", b"for ann", 1, false).unwrap();
        assert_eq!(other.confirmed(pkid, 1).unwrap(), 0);
        drop(other);
        bob_is_refused(&broker);
        if persist {
            drop(broker);
            broker = start(folder.path(), persist, true);
            bob_is_refused(&broker);
        }
        let mut own = Client::connect(broker.address(), &ann).unwrap();
        assert!(own.session_present);
        assert_eq!(own.messages(1).unwrap()[0].payload, b"for ann");
    }
}

/// Sessions from a time without users go to the first who may read all that was subscribed.
#[test]
fn a_session_of_nobodys_goes_to_who_may_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = Connect::new(5, "ann1").persistent();
    {
        let broker = start(folder.path(), true, false);
        let mut own = Client::connect(broker.address(), &user("carl", session.clone())).unwrap();
        own.subscribe("$share/g/secret/#", 1).unwrap();
        own.end(Ending::Disconnect).unwrap();
        // Without users a name means nothing.
        let mut own = Client::connect(broker.address(), &user("dora", session.clone())).unwrap();
        assert!(own.session_present);
        own.subscribe("secret/x", 1).unwrap();
        own.end(Ending::Disconnect).unwrap();
    }
    let broker = start(folder.path(), true, true);
    bob_is_refused(&broker);
    let own = Client::connect(broker.address(), &user("ann", session)).unwrap();
    assert!(own.session_present);
    bob_is_refused(&broker);
}

/// `%c` is the ClientID also where the broker gave it.
#[test]
fn an_assigned_id_has_its_rights() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(folder.path(), false, true);
    let mut client = Client::connect(broker.address(), &user("ann", Connect::new(5, ""))).unwrap();
    let id = client.told.assigned_id.clone().expect("an assigned ClientID");
    for (topic, reason) in [(format!("in/{id}/x"), 0x10), ("in/other/x".to_owned(), 0x87)] {
        let pkid = client.publish(&topic, b"x", 1, false).unwrap();
        assert_eq!(client.confirmed(pkid, 1).unwrap(), reason, "{topic}");
    }
    assert_eq!(client.message(Duration::from_millis(50)).unwrap(), None);
}
