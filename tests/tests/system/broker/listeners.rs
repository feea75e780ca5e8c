//! Listeners, users, rights and limits.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Ending, TestBroker};

/// "secret", bcrypt with the least cost that there is.
const ANN: &str = "ann:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

fn with_file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_file_that_is_not_understood_is_named_with_its_line() {
    let (_folder, path) = with_file("users", "# fine\nann:plain text\n");
    let error = TestBroker::refusal(|config| config.users = Some(path.clone()));
    assert!(error.contains("users, line 2") && error.contains("argon2"), "{error}");
    let (_folder, path) = with_file("acl", "ann may publish\n");
    let error = TestBroker::refusal(|config| config.acl = Some(path.clone()));
    assert!(error.contains("acl, line 1"), "{error}");
    let error = TestBroker::refusal(|config| config.tls_listen = Some("127.0.0.1:0".parse().unwrap()));
    assert!(error.contains("tls_cert"), "{error}");
}

/// A user who could never log in is refused at the start, by file and line.
#[test]
fn a_hash_that_nobody_can_match_is_refused() {
    for hash in [
        "$pbkdf2-sha256$i=600000$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0",
        &format!("$2b$10${}", "x".repeat(53)),
    ] {
        let (_folder, path) = with_file("users", &format!("{ANN}\nbob:{hash}\n"));
        let error = TestBroker::refusal(|config| config.users = Some(path.clone()));
        assert!(error.contains("users, line 2: the hash of \"bob\" is n"), "{error}");
    }
}

/// What a denied pattern covers is denied; what is wider is not, and is for the ACL.
#[test]
fn denied_subscriptions_cannot_be_had_otherwise() {
    let broker = TestBroker::start(|config| config.deny_subscribe = vec!["secret/#".to_owned()]);
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    for filter in ["secret/#", "secret", "secret/+", "secret/x", "secret/x/#", "$share/g/secret/#"] {
        assert_eq!(client.subscribe(filter, 1).unwrap(), 0x80, "{filter}");
    }
    for filter in ["#", "+/x", "secrets/x", "$share/secret/x"] {
        assert_eq!(client.subscribe(filter, 1).unwrap(), 1, "{filter}");
    }
}

#[test]
fn users_need_their_password() {
    let (_folder, path) = with_file("users", ANN);
    let broker = TestBroker::start(|config| config.users = Some(path.clone()));
    for version in [4, 5] {
        let try_as = |user: Option<(&str, &str)>| {
            let mut options = Connect::new(version, "c");
            options.user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
            Client::try_connect(broker.address(), &options).unwrap().1
        };
        let (wrong, nobody) = if version == 5 { (0x86, 0x87) } else { (4, 5) };
        assert_eq!(try_as(Some(("ann", "secret"))), 0);
        assert_eq!(try_as(Some(("ann", "guess"))), wrong);
        assert_eq!(try_as(Some(("bob", "secret"))), wrong);
        assert_eq!(try_as(None), nobody);
    }
}

/// Rights by pattern: what is not allowed is refused, and goes nowhere.
#[test]
fn rights_are_kept() {
    let (_folder, path) = with_file("acl", "* both own/%c/#\n* publish in/%c\n");
    let broker = TestBroker::start(|config| config.acl = Some(path.clone()));
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c1")).unwrap();
    assert_eq!(client.subscribe("own/c1/#", 1).unwrap(), 1);
    assert_eq!(client.subscribe("$share/g/own/c1/x", 1).unwrap(), 1);
    for filter in ["own/#", "#", "own/c2/#", "$share/g/#"] {
        assert_eq!(client.subscribe(filter, 1).unwrap(), 0x87, "{filter}");
    }
    for (topic, reason) in [("own/c1/a", 0), ("own/c2/a", 0x87), ("$SYS/broker/uptime", 0x87)] {
        let pkid = client.publish(topic, b"x", 1, false).unwrap();
        assert_eq!(client.confirmed(pkid, 1).unwrap(), reason, "{topic}");
    }
    let mut wide = Client::connect(broker.address(), &Connect::new(4, "+")).unwrap();
    assert_eq!(wide.subscribe("own/+/#", 1).unwrap(), 0x80, "a ClientID is no wildcard");
    let (_folder, path) = with_file("acl", "* both %c/#\n");
    let open = TestBroker::start(|config| config.acl = Some(path.clone()));
    let mut dollar = Client::connect(open.address(), &Connect::new(5, "$SYS")).unwrap();
    assert_eq!(dollar.subscribe("$SYS/#", 1).unwrap(), 0x87, "a ClientID opens no $-topics");
    assert_eq!(broker.stats().dropped_denied, 2);
}

/// What a client may not publish is no will of its either, and `$SYS` is the broker's own even where all is allowed.
#[test]
fn a_will_that_may_not_be_published_is_refused() {
    let (_folder, path) = with_file("acl", "* publish in/%c\n");
    let open = TestBroker::start(|_| {});
    let strict = TestBroker::start(|config| config.acl = Some(path.clone()));
    for (broker, topic, refused) in [
        (&open, "$SYS/broker/uptime", true),
        (&strict, "$SYS/broker/uptime", true),
        (&strict, "in/other", true),
        (&strict, "in/c", false),
        (&open, "in/other", false),
    ] {
        for version in [4, 5] {
            let will = Some((topic.to_owned(), "gone".to_owned()));
            let options = Connect { will, ..Connect::new(version, "c") };
            let code = Client::try_connect(broker.address(), &options).unwrap().1;
            assert_eq!(
                code,
                if !refused {
                    0
                } else if version == 5 {
                    0x87
                } else {
                    5
                },
                "{topic} on {version}"
            );
        }
    }
}

/// The largest times that are taken can be counted: nothing panics when they begin to run.
#[test]
fn the_longest_times_can_be_counted() {
    let century = 100 * 365 * 86_400;
    let broker = TestBroker::start(|config| {
        config.sys_interval = century;
        config.connect_timeout = century;
        config.group_max_age = century;
        config.group_linger = century;
        config.redispatch_after_ms = century * 1000;
        config.publisher_patience_ms = century * 1000;
    });
    for options in [Connect::new(5, "m"), Connect::new(5, "n").persistent()] {
        let mut member = Client::connect(broker.address(), &options).unwrap();
        member.subscribe("$share/g/t", 1).unwrap();
        member.end(Ending::Disconnect).unwrap();
    }
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    let pkid = client.publish("t", b"x", 1, false).unwrap();
    assert_eq!(client.confirmed(pkid, 1).unwrap(), 0);
    let error = TestBroker::refusal(|config| config.sys_interval = u64::MAX);
    assert!(error.contains("sys_interval is 18446744073709551615: set it to"), "{error}");
}

#[test]
fn one_address_has_so_many_connections() {
    let broker = TestBroker::start(|config| config.max_connections_per_address = 3);
    let kept: Vec<Client> =
        ["a", "b", "c"].iter().map(|id| Client::connect(broker.address(), &Connect::new(4, id)).unwrap()).collect();
    assert!(Client::connect(broker.address(), &Connect::new(4, "d")).is_err());
    drop(kept);
    flotilla_tests::eventually("places come back", Duration::from_secs(10), || {
        Client::connect(broker.address(), &Connect::new(4, "d")).ok()
    })
    .unwrap();
}
