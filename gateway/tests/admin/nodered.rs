//! Node-RED's admin API.

use flotilla_api::access::Access;
use serde_json::{Value, json};

use crate::place::{Answer, Place, TOKEN};

const V2: &str = "Node-RED-API-Version: v2\r\n";

fn flows(label: &str) -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": label},
        {"id": "n1", "type": "inject", "z": "t1", "x": 1, "y": 1, "wires": [[]]},
    ])
}

async fn get(place: &Place, path: &str, headers: &str) -> Answer {
    place.send("GET", path, TOKEN, headers, "").await
}

/// Waits for the rollout of a deploy: nobody runs, so a driver has little to do.
async fn deploy(place: &Place, headers: &str, body: &Value) -> Answer {
    let answer = place.send("POST", "/flows", TOKEN, headers, &body.to_string()).await;
    place.end_rollout().await;
    answer
}

#[tokio::test]
async fn flows_are_read_and_deployed_in_both_versions() {
    let place = Place::start().await;
    assert_eq!(get(&place, "/flows", "").await.body, json!([]));
    let first = deploy(&place, "", &flows("one")).await;
    assert_eq!(first.status, 204, "{first:?}");
    assert_eq!(get(&place, "/flows", "").await.body, flows("one"));
    let two = get(&place, "/flows", V2).await.body;
    assert_eq!(two["flows"], flows("one"));
    let rev = two["rev"].as_str().unwrap().to_owned();
    let second = deploy(&place, V2, &json!({"flows": flows("two"), "rev": rev})).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert!(second.head.to_lowercase().contains("location: /api/v1/groups/g/rollout"), "{}", second.head);
    assert_ne!(second.body["rev"].as_str().unwrap(), rev);
    let stale = deploy(&place, V2, &json!({"flows": flows("three"), "rev": rev})).await;
    assert_eq!((stale.status, stale.code()), (409, "version_mismatch"));
    let forced = deploy(&place, V2, &json!({"flows": flows("three")})).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    let same = deploy(&place, V2, &json!({"flows": flows("three")})).await;
    assert_eq!((same.status, &same.body["rev"]), (200, &forced.body["rev"]), "nothing to do is no error");
    let reload = format!("{V2}Node-RED-Deployment-Type: reload\r\n");
    assert_eq!(deploy(&place, &reload, &json!({})).await.body["rev"], forced.body["rev"]);
    for (headers, body, code) in [
        ("Node-RED-API-Version: v9\r\n", flows("x"), "invalid_api_version"),
        ("Node-RED-Deployment-Type: some\r\n", flows("x"), "invalid_deployment_type"),
        ("", json!({"flows": []}), "invalid_flow"),
        (V2, json!([]), "invalid_flow"),
        ("", json!([{"id": "n", "type": "no-such-type", "z": "t", "wires": []}]), "cannot_run"),
    ] {
        let answer = deploy(&place, headers, &body).await;
        assert!((400..500).contains(&answer.status) && answer.code() == code, "{code}: {answer:?}");
        assert!(answer.body["message"].is_string(), "as Node-RED says it: {answer:?}");
    }
    let log = place.ask("GET", "/api/v1/groups/g/audit?event=deploy", TOKEN, "").await.body;
    assert!(log.as_array().unwrap().iter().all(|entry| entry["source"] == "editor"), "{log}");
}

#[tokio::test]
async fn tabs_are_added_changed_and_removed() {
    let place = Place::start().await;
    deploy(&place, "", &flows("one")).await;
    let ask = async |method: &str, path: &str, body: Value| {
        let answer = place.send(method, path, TOKEN, "", &body.to_string()).await;
        place.end_rollout().await;
        answer
    };
    let node = json!({"id": "n2", "type": "debug", "x": 1, "y": 1, "wires": []});
    let added = ask("POST", "/flow", json!({"label": "added", "nodes": [node]})).await;
    let id = added.body["id"].as_str().unwrap().to_owned();
    assert_eq!(get(&place, &format!("/flow/{id}"), "").await.body["nodes"][0]["z"], id.as_str());
    let changed = ask("PUT", &format!("/flow/{id}"), json!({"label": "changed", "nodes": [node]})).await;
    assert_eq!((changed.status, changed.body["id"].as_str()), (200, Some(&*id)));
    assert_eq!(get(&place, &format!("/flow/{id}"), "").await.body["label"], "changed");
    assert_eq!(ask("DELETE", &format!("/flow/{id}"), Value::Null).await.status, 204);
    assert_eq!(get(&place, "/flows", "").await.body, flows("one"));
    assert_eq!(ask("PUT", "/flow/nowhere", json!({})).await.code(), "not_found");
    assert_eq!(get(&place, "/flow/nowhere", "").await.status, 404);
}

#[tokio::test]
async fn a_password_gives_a_token_as_node_red_does() {
    let place = Place::start().await;
    place.user("ann", &["viewer:g"], Some("correct horse")).await;
    let login = place.ask("GET", "/auth/login", "", "").await;
    assert_eq!((login.status, login.body["type"].as_str()), (200, Some("credentials")));
    let grant = json!({
        "client_id": "node-red-admin", "grant_type": "password", "scope": "*", "username": "ann", "password": "correct horse",
    });
    let answer = place.ask("POST", "/auth/token", "", &grant.to_string()).await;
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!((answer.status, answer.body["token_type"].as_str()), (200, Some("Bearer")));
    assert_eq!(place.ask("GET", "/flows", &token, "").await.status, 200);
    let refused = place.ask("POST", "/flows", &token, "[]").await;
    assert_eq!((refused.status, refused.body["right"].as_str()), (403, Some("deploy")));
    let form = "grant_type=password&username=ann&password=wrong+one&scope=";
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let wrong = place.send("POST", "/auth/token", "", kind, form).await;
    assert_eq!((wrong.status, wrong.body["error"].as_str()), (403, Some("invalid_grant")));
    let revoke = json!({"token": token}).to_string();
    assert_eq!(place.ask("POST", "/auth/revoke", &token, &revoke).await.status, 200);
    assert_eq!(place.ask("GET", "/flows", &token, "").await.status, 401);
    let own = json!({"grant_type": "password", "username": "admin", "password": TOKEN}).to_string();
    assert_eq!(place.ask("POST", "/auth/token", "", &own).await.body["access_token"], TOKEN);
}

#[tokio::test]
async fn context_and_nodes_are_shown_as_node_red_shows_them() {
    let place = Place::start().await;
    let set = json!({"global/count": 3, "t1/name": "größe", "n1/list": [1, 2]}).to_string();
    assert_eq!(place.ask("PUT", "/api/v1/groups/g/context", TOKEN, &set).await.status, 204);
    let global = get(&place, "/context/global", "").await.body;
    assert_eq!(global, json!({"shared": {"count": {"msg": "3", "format": "number"}}}));
    let one = get(&place, "/context/flow/t1/name", "").await.body;
    assert_eq!(one, json!({"msg": "größe", "format": "string[5]", "store": "shared"}));
    assert_eq!(get(&place, "/context/node/n1", "").await.body["shared"]["list"]["format"], "array[2]");
    assert_eq!(place.ask("DELETE", "/context/global/count", TOKEN, "").await.status, 204);
    assert_eq!(get(&place, "/context/global", "").await.body, json!({"shared": {}}));
    assert_eq!(get(&place, "/context/elsewhere/x", "").await.status, 404);
    let nodes = get(&place, "/nodes", "").await.body;
    assert!(nodes.as_array().unwrap().iter().any(|set| set["id"] == "node-red/inject"), "{nodes}");
    assert_eq!(get(&place, "/nodes/node-red/inject", "").await.body["types"], json!(["inject"]));
    assert_eq!(get(&place, "/nodes/elsewhere", "").await.code(), "not_found");
    assert_eq!(get(&place, "/settings", "").await.body["version"], "4.1.0");
    let (_, call) = {
        place.user("machine", &["endpoint:g"], None).await;
        place.token("machine", Access::Write, &[]).await
    };
    assert_eq!(place.ask("GET", "/diagnostics", &call, "").await.status, 403);
    assert_eq!(get(&place, "/diagnostics", "").await.body["report"], "diagnostics");
}
