//! Users, tokens and logins.

use flotilla_api::access::Access;
use serde_json::{Value, json};

use crate::place::{Answer, Place, TOKEN};

async fn login(place: &Place, user: &str, password: &str) -> Answer {
    place.ask("POST", "/api/v1/login", "", &json!({"user": user, "password": password}).to_string()).await
}

async fn who(place: &Place, token: &str) -> (u16, Value) {
    let answer = place.ask("GET", "/api/v1/whoami", token, "").await;
    (answer.status, answer.body["name"].clone())
}

async fn audit(place: &Place, path: &str) -> Vec<Value> {
    place.ask("GET", path, TOKEN, "").await.body.as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_login_gives_a_token_until_the_password_changes() {
    let place = Place::start().await;
    place.user("ann", &["viewer:g"], Some("correct horse")).await;
    let answer = login(&place, "ann", "correct horse").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let token = answer.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(who(&place, &token).await, (200, json!("ann")));
    // The store has no text that opens anything.
    for entry in place.store.list("").await.unwrap() {
        let text = String::from_utf8_lossy(&entry.value).into_owned();
        assert!(!text.contains(&token) && !text.contains("correct horse"), "{}", entry.key);
    }
    let path = "/api/v1/users/ann/password";
    let wrong = json!({"password": "battery staple", "old": "guess"}).to_string();
    assert_eq!(place.ask("PUT", path, &token, &wrong).await.code(), "wrong_password");
    let short = json!({"password": "short", "old": "correct horse"}).to_string();
    assert_eq!(place.ask("PUT", path, &token, &short).await.code(), "bad_password");
    let right = json!({"password": "battery staple", "old": "correct horse"}).to_string();
    assert_eq!(place.ask("PUT", path, &token, &right).await.status, 204);
    assert_eq!(who(&place, &token).await.0, 401, "a login with the old password is void");
    assert_eq!(login(&place, "ann", "correct horse").await.code(), "wrong_login");
    assert_eq!(login(&place, "ann", "battery staple").await.status, 201);
    let others = place.ask("PUT", "/api/v1/users/bob/password", &token, &right).await;
    assert_eq!(others.status, 401);
}

#[tokio::test]
async fn wrong_passwords_lock_the_name_and_say_for_how_long() {
    let place = Place::start().await;
    place.user("ann", &[], Some("correct horse")).await;
    place.user("bob", &[], Some("correct horse")).await;
    for _ in 0..5 {
        assert_eq!(login(&place, "ann", "guess").await.code(), "wrong_login");
    }
    let locked = login(&place, "ann", "correct horse").await;
    assert_eq!((locked.status, locked.code()), (429, "slow_down"));
    assert!(locked.head.to_lowercase().contains("\r\nretry-after: "), "{}", locked.head);
    assert_eq!(login(&place, "bob", "correct horse").await.status, 201, "others are not locked out");
    assert_eq!(login(&place, "nobody at all", "guess").await.code(), "wrong_login");
    let log = audit(&place, "/api/v1/audit").await;
    let refused = log.iter().filter(|entry| entry["result"] == "refused" && entry["why"] == "user \"ann\"").count();
    assert_eq!(refused, 1, "and not each time: {log:?}");
}

#[tokio::test]
async fn a_token_is_what_its_user_is_and_ends_with_the_user() {
    let place = Place::start().await;
    place.user("ann", &["owner:g", "owner:other"], None).await;
    let (_, write) = place.token("ann", Access::Write, &["g"]).await;
    let (id, read) = place.token("ann", Access::Read, &[]).await;
    let edit = |name: &str| json!({"name": name, "description": "x"}).to_string();
    assert_eq!(place.ask("PUT", "/api/v1/groups/g", &write, &edit("g")).await.status, 200);
    let limited = place.ask("PUT", "/api/v1/groups/other", &write, &edit("other")).await;
    assert!(limited.body["detail"].as_str().unwrap().contains("for g only"), "{limited:?}");
    let reading = place.ask("PUT", "/api/v1/groups/g", &read, &edit("g")).await;
    assert_eq!((reading.status, reading.body["right"].as_str()), (403, Some("own")));
    assert_eq!(place.ask("POST", "/api/v1/tokens", &read, "{}").await.code(), "forbidden", "it makes no stronger one");
    assert_eq!(place.ask("POST", "/api/v1/tokens", &write, "{}").await.code(), "forbidden", "nor does one of a group");
    let groups = place.ask("GET", "/api/v1/groups", &write, "").await;
    let names: Vec<_> = groups.body.as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(names, ["g"], "it sees its own group");
    let log = audit(&place, "/api/v1/groups/g/audit").await;
    let entry = log.iter().find(|entry| entry["action"] == "group-edit").unwrap();
    assert_eq!(
        (&entry["actor"], &entry["source"], &entry["address"]),
        (&json!("ann"), &json!("api"), &json!("127.0.0.1"))
    );
    assert!(entry["credential"].as_str().unwrap().starts_with("token test ("), "{entry}");
    assert_eq!((&entry["old"]["description"], &entry["new"]["description"]), (&json!(""), &json!("x")));
    let refused = log.iter().find(|entry| entry["result"] == "refused").unwrap();
    assert!(refused["why"].as_str().unwrap().contains("reading only"), "{refused}");
    let list = place.ask("GET", "/api/v1/tokens?user=ann", TOKEN, "").await;
    let list = list.body.as_array().unwrap().clone();
    assert!(list.len() == 2 && list.iter().all(|token| token["used_ms"].is_u64()), "{list:?}");
    assert_eq!(place.ask("DELETE", &format!("/api/v1/tokens/{id}"), TOKEN, "").await.status, 204);
    assert_eq!(who(&place, &read).await.0, 401);
    assert_eq!(who(&place, &write).await.0, 200);
    assert_eq!(place.ask("DELETE", "/api/v1/users/ann", TOKEN, "").await.status, 204);
    place.user("ann", &["admin"], None).await;
    assert_eq!(who(&place, &write).await.0, 401, "another ann has other tokens");
}

#[tokio::test]
async fn whoever_makes_a_group_owns_it_until_it_is_removed() {
    let place = Place::start().await;
    place.user("ann", &[], None).await;
    place.user("bob", &["viewer"], None).await;
    let (_, ann) = place.token("ann", Access::Write, &[]).await;
    let (_, bob) = place.token("bob", Access::Write, &[]).await;
    assert_eq!(place.ask("POST", "/api/v1/groups", &ann, r#"{"name":"mine"}"#).await.status, 201);
    assert_eq!(place.ask("DELETE", "/api/v1/groups/mine", &bob, "").await.code(), "forbidden");
    // Who owns a group adds no replica that is not theirs.
    let add = place.ask("PUT", "/api/v1/groups/mine/members/r-1", &ann, "").await;
    assert_eq!((add.status, add.body["right"].as_str()), (403, Some("add-replica")));
    assert_eq!(place.ask("DELETE", "/api/v1/groups/mine", &ann, "").await.status, 200);
    assert_eq!(place.ask("POST", "/api/v1/groups", &bob, r#"{"name":"mine"}"#).await.status, 201);
    assert_eq!(place.ask("GET", "/api/v1/groups/mine", &ann, "").await.code(), "forbidden", "the next one is bob's");
}

#[tokio::test]
async fn the_actor_is_not_what_the_body_says() {
    let place = Place::start().await;
    place.user("ann", &["deployer:g"], None).await;
    let (_, ann) = place.token("ann", Access::Write, &[]).await;
    let body = r#"{"set":{"API_KEY":"planted-secret"},"actor":"somebody else"}"#;
    assert_eq!(place.ask("PUT", "/api/v1/groups/g/env/secrets", &ann, body).await.status, 200);
    let log = audit(&place, "/api/v1/groups/g/audit").await;
    let entry = log.iter().find(|entry| entry["action"] == "secrets-change").unwrap();
    assert_eq!((&entry["actor"], &entry["new"]), (&json!("ann"), &json!({"API_KEY": "***"})));
    assert!(!serde_json::to_string(&log).unwrap().contains("planted-secret"));
}

#[tokio::test]
async fn tokens_expire_by_themselves() {
    let place = Place::start().await;
    place.user("ann", &[], None).await;
    let body = r#"{"name":"short","user":"ann","expires_s":1}"#;
    let made = place.ask("POST", "/api/v1/tokens", TOKEN, body).await;
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(who(&place, &secret).await.0, 200);
    let gone = async {
        while who(&place, &secret).await.0 == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.expect("it expires");
    assert_eq!(place.ask("POST", "/api/v1/tokens", TOKEN, r#"{"expires_s":0}"#).await.code(), "bad_expiry");
    assert_eq!(place.ask("POST", "/api/v1/tokens", TOKEN, "{}").await.code(), "no_user");
}
