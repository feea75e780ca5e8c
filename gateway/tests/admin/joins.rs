//! Join tokens, and whose a replica is.

use flotilla_api::access::Access;
use flotilla_group::accounts::Joins;
use serde_json::json;

use crate::place::{Place, TOKEN};

#[tokio::test]
async fn only_an_admin_and_the_owner_of_the_host_add_a_replica() {
    let place = Place::start().await;
    place.user("ann", &["owner:g"], None).await;
    place.user("bob", &["owner:other", "deployer:g"], None).await;
    let (_, ann) = place.token("ann", Access::Write, &[]).await;
    let (_, bob) = place.token("bob", Access::Write, &[]).await;
    let path = "/api/v1/groups/g/join-tokens";
    assert_eq!(place.ask("POST", path, &bob, "{}").await.code(), "forbidden", "it hands the group's key out");
    assert_eq!(
        place.ask("POST", path, &ann, r#"{"owner":"bob"}"#).await.code(),
        "forbidden",
        "for others an admin makes it"
    );
    let made = place.ask("POST", path, &ann, "{}").await;
    assert_eq!(made.status, 201, "{made:?}");
    let joins = Joins::new(place.store.clone());
    let joined = joins.open(made.body["secret"].as_str().unwrap()).await.unwrap();
    assert_eq!((&*joined.group, &*joined.owner, &*joined.key), ("g", "ann", "the group's key"));
    joins.own("r-1", &joined.owner).await.unwrap();
    // It does not run, so that nobody can put it anywhere: whoever may is told so.
    let add = async |token: &str| place.ask("PUT", "/api/v1/groups/other/members/r-1", token, "").await;
    assert_eq!(add(&ann).await.code(), "no_such_replica");
    assert_eq!(add(TOKEN).await.code(), "no_such_replica");
    let refused = add(&bob).await;
    assert_eq!(
        (refused.status, &refused.body["right"]),
        (403, &json!("add-replica")),
        "the group's owner does not own the host"
    );
    let list = place.ask("GET", path, &ann, "").await;
    assert_eq!(list.body.as_array().unwrap().len(), 1);
    assert!(!list.body.to_string().contains(made.body["secret"].as_str().unwrap()));
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(place.ask("DELETE", &format!("{path}/{id}"), &ann, "").await.status, 204);
    assert!(joins.open(made.body["secret"].as_str().unwrap()).await.is_err());
}

#[tokio::test]
async fn a_change_of_what_was_changed_meanwhile_is_refused() {
    let place = Place::start().await;
    let path = "/api/v1/groups/g";
    let body = |text: &str| json!({"name": "g", "description": text}).to_string();
    let first = place.ask("GET", path, TOKEN, "").await;
    let tag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a group has an ETag").to_owned();
    let change = async |tag: &str, text: &str| {
        place.send("PUT", path, TOKEN, &format!("If-Match: {tag}\r\n"), &body(text)).await
    };
    assert_eq!(change(&tag, "one").await.status, 200);
    let stale = change(&tag, "two").await;
    assert_eq!((stale.status, stale.code()), (412, "changed_meanwhile"));
    assert_eq!(change("*", "three").await.status, 200);
    assert_eq!(place.ask("PUT", path, TOKEN, &body("four")).await.status, 200, "without it any change is made");
    let remove = place.send("DELETE", path, TOKEN, &format!("If-Match: {tag}\r\n"), "").await;
    assert_eq!(remove.code(), "changed_meanwhile");
}
