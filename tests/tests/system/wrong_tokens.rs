//! Somebody tries tokens, as fast as this machine can, 8,000 a second at most: each is refused and counted, and whoever has a right one is answered as before.

use std::collections::BTreeMap;

use flotilla_load::scenario::{MarkPlace, Pace, Rate, Request, Scenario, Span};
use flotilla_tests::{Up, UpOptions, get, request, run_scenario, write_flow};
use serde_json::{Value, json};

/// So many connections: more than are kept waiting for their answer at a time.
const CLIENTS: usize = 150;

fn requests(up: &Up, token: &str) -> Request {
    Request {
        url: format!("http://{}/api/v1/whoami", up.admin),
        headers: BTreeMap::from([("Authorization".to_owned(), format!("Bearer {token}"))]),
        mark: MarkPlace::None,
        status: vec![401],
        pace: Pace { rate: Some(Rate::Number(4_000.0)), clients: Some(CLIENTS), ..Pace::default() },
        ..Request::default()
    }
}

fn refused(up: &Up) -> u64 {
    let metrics = get(up.admin, "/metrics").unwrap().body;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("flotilla_admin_refused_total{reason=\"wrong_token\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn a_flood_of_wrong_tokens_is_refused_and_others_are_answered() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &json!([{"id": "tab", "type": "tab", "label": "tokens"}])).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let api = up.api();
    let ask = |method: &str, path: &str, body: &Value| -> Value {
        let answer = api.request(method, path, "Content-Type: application/json\r\n", &body.to_string()).unwrap();
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    ask("POST", "/api/v1/users", &json!({"name": "ann", "roles": ["viewer:default"]}));
    let ann = ask("POST", "/api/v1/tokens", &json!({"user": "ann"}))["secret"].as_str().unwrap().to_owned();
    // One that is nothing like a token, and one of a token that there is, with another secret: that one is looked up.
    let (known, secret) = ann.rsplit_once('_').unwrap();
    let almost = format!("{known}_{}", secret.chars().rev().collect::<String>());
    let scenario = Scenario {
        name: "wrong tokens".to_owned(),
        duration: Some(Span(std::time::Duration::from_secs(4))),
        drain: Some(Span(std::time::Duration::from_secs(20))),
        request: vec![requests(&up, "0123456789abcdef0123456789abcdef"), requests(&up, &almost)],
        ..Scenario::default()
    };
    let before = refused(&up);
    let flood = std::thread::spawn(move || run_scenario(&scenario, None).unwrap());
    let mut answered = 0u64;
    while !flood.is_finished() {
        for token in [api.token.as_ref().unwrap(), &ann] {
            let header = format!("Authorization: Bearer {token}\r\n");
            let answer = request(up.admin, "GET", "/api/v1/whoami", &header, "").unwrap();
            // Who asks without a pause meets the rate of one's own, which says so.
            assert!(matches!(answer.status, 200 | 429), "{} {}", answer.status, answer.body);
            answered += u64::from(answer.status == 200);
        }
    }
    let results = flood.join().unwrap();
    let totals = &results.totals;
    assert_eq!((totals.errors, totals.confirmed), (0, totals.sent), "each was refused with 401: {:?}", results.errors);
    assert_eq!(refused(&up) - before, totals.confirmed, "and counted");
    assert!(totals.confirmed > 1_000 && answered > 20, "{} refused, {answered} answered", totals.confirmed);
    println!("{} wrong tokens in {:.1} s; others were answered {answered} times", totals.confirmed, results.seconds);
}
