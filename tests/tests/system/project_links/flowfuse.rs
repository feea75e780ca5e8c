//! A user directory of a FlowFuse instance: who the group is and where the others are is in its settings.

use flotilla_broker::hash_password;
use flotilla_tests::mqtt::{Client, Connect, TestBroker};
use flotilla_tests::{Up, UpOptions};
use serde_json::{Value, json};

use super::kit::{ENDS, flow};

const PASSWORD: &str = "the-password-of-the-instance";
const TOKEN: &str = "the-token-of-the-instance";

#[test]
fn a_user_directory_of_flowfuse_runs_as_the_instance_that_it_was() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let users = ["instance-p1", "tester"].map(|user| format!("{user}:{}\n", hash_password(PASSWORD).unwrap()));
    let (users, acl) = (file("users", &users.concat()), file("acl", "* both #\n"));
    let broker = TestBroker::start(|config| (config.users, config.acl) = (Some(users), Some(acl)));
    let settings = json!({
        "flowFile": "flows.json", "credentialSecret": false,
        "flowforge": {
            "forgeURL": "https://ff.example", "teamID": "t1", "projectID": "p1", "applicationID": "a1", "auditLogger": {"token": TOKEN},
            "projectLink": {"token": TOKEN, "broker": {"url": format!("mqtt://{}", broker.address()), "username": "instance-p1",
                                                       "password": PASSWORD}}
        }
    });
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("settings.js"), format!("module.exports = {settings};")).unwrap();
    let nodes = json!([
        {"id": "i", "type": "project link in", "project": "", "broadcast": false, "topic": "box", "wires": [["o"]]},
        {"id": "o", "type": "project link out", "mode": "link", "broadcast": false, "project": "p2", "topic": "seen", "wires": []}
    ]);
    std::fs::write(dir.path().join("flows.json"), flow(&nodes).to_string()).unwrap();
    let up = Up::start(dir.path(), UpOptions { replicas: 2, args: vec!["--no-broker".to_owned()] }).unwrap();

    let user = Some(("tester".to_owned(), PASSWORD.to_owned()));
    let mut tester = Client::connect(broker.address(), &Connect { user, ..Connect::new(5, "tester") }).unwrap();
    tester.subscribe("ff/v1/t1/p/p2/in/seen", 2).unwrap();
    let sent = json!({"payload": "hello", "_msgid": "m1"}).to_string();
    assert!(tester.publish_correlated("ff/v1/t1/p/p1/in/box", sent.as_bytes(), b"").unwrap() < 0x80);
    let seen = tester.message(ENDS).unwrap().expect("what the group sends on");
    tester.accept(&seen).unwrap();
    let message: Value = serde_json::from_slice(&seen.payload).unwrap();
    assert_eq!((&message["payload"], &message["_msgid"]), (&json!("hello"), &json!("m1")));
    let said = |name: &str| seen.user.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((said("_projectID"), said("_applicationID")), (Some("p1"), Some("a1")));
    for (path, content) in up.kept().unwrap() {
        let has = |secret: &str| content.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!has(PASSWORD) && !has(TOKEN), "{}", path.display());
    }
    assert!(!up.log().contains(PASSWORD) && !up.output().contains(PASSWORD), "{}", up.log());
}
