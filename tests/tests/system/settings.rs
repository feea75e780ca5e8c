//! Settings of Node-RED that flows rely on: they have their effect, or are refused.

use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, get, request, write_flow};
use serde_json::{Value, json};

/// bcrypt of "test".
const HASH: &str = "$2b$08$.jttE7jg9F.2KR0HvI4oaeyHUOggIekZyexxrU2xG8IQX9XylmDvK";

fn flow() -> Value {
    let func =
        "const n = (flow.get('n', 'file') || 0) + 1;\nflow.set('n', n, 'file');\nmsg.payload = String(n);\nreturn msg;";
    json!([
        {"id": "t1", "type": "tab", "label": "Count", "disabled": false, "info": ""},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/count", "method": "post", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 100, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "", "func": func, "outputs": 1, "timeout": 0, "noerr": 0,
         "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300, "y": 100,
         "wires": []}
    ])
}

fn up(settings: &Value) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("settings.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let flows = write_flow(folder.path(), &flow()).unwrap();
    Up::start(&flows, UpOptions { replicas: 2, args: vec!["--settings".into(), file.display().to_string()] }).unwrap()
}

#[test]
fn a_context_store_that_persists_is_shared_and_survives_a_restart_of_the_group() {
    let storage = json!({"default": "memory", "memory": {"module": "memory"}, "file": {"module": "localfilesystem"}});
    let up = up(&json!({"contextStorage": storage}));
    let count = || request(up.http, "POST", "/count", "", "").unwrap().body;
    let counts: Vec<String> = (0..6).map(|_| count()).collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5", "6"]);
    let before = up.replicas();
    for replica in &before {
        flotilla_tests::kill(replica.pid).unwrap();
    }
    // Until their leases end, the dead ones are ready in the registry: a request may be sent to one that dies right then.
    let others = || up.replicas().iter().all(|replica| before.iter().all(|dead| dead.pid != replica.pid));
    eventually("others in their place", Duration::from_secs(60), || (others() && up.ready() == 2).then_some(()))
        .unwrap();
    assert_eq!(count(), "7");
}

#[test]
fn http_node_auth_protects_and_lets_preflights_pass() {
    let up = up(&json!({"httpNodeAuth": {"user": "user", "pass": HASH}}));
    let ask = |method: &str, headers: &str| request(up.http, method, "/count", headers, "").unwrap();
    let refused = ask("POST", "");
    assert_eq!(refused.status, 401);
    assert!(refused.head.to_lowercase().contains("www-authenticate: basic"), "{}", refused.head);
    assert_eq!(ask("POST", "Authorization: Basic dXNlcjp3cm9uZw==\r\n").status, 401);
    assert_eq!(ask("POST", "Authorization: Basic dXNlcjp0ZXN0\r\n").status, 200);
    let preflight = ask("OPTIONS", "Origin: http://ui.example\r\nAccess-Control-Request-Method: POST\r\n");
    assert_eq!(preflight.status, 204);
    assert!(preflight.head.to_lowercase().contains("access-control-allow-origin: *"), "{}", preflight.head);
    assert_eq!(get(up.http, "/nothing").unwrap().status, 401, "also where nothing is");
    let refused = up.run(&["deploy", "--set", "requireHttps=true"]).unwrap();
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(3) && text.contains("requireHttps"), "{text}");
}
