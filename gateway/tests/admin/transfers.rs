//! What another installation brings: once for each id, whatever happens in between.

use flotilla_api::audit::Origin;
use flotilla_group::GroupError;
use flotilla_group::desired::DesiredStates;
use flotilla_group::rollout::Rules;
use serde_json::json;

use crate::place::{Place, TOKEN};

const PATH: &str = "/api/v1/groups/g/transfer";

/// A flow document with one tab of this name.
fn flows(label: &str) -> serde_json::Value {
    json!([{"id": "t", "type": "tab", "label": label}])
}

#[tokio::test]
async fn what_a_transfer_began_is_found_behind_others_and_begins_nothing_again() {
    let place = Place::start().await;
    let deploy = async |label: &str| {
        let body = json!({"flows": flows(label)}).to_string();
        let begun = place.ask("POST", "/api/v1/groups/g/deploy", TOKEN, &body).await;
        assert!(begun.status < 300, "{begun:?}");
        place.end_rollout().await;
    };
    deploy("one").await;
    let transfer = json!({"id": "run 1/b", "content": {"flows": flows("two")}}).to_string();
    let state = async |id: &str| place.ask("GET", &format!("{PATH}?id={id}"), TOKEN, "").await.body;
    assert!(state("run%201/b").await["begun"].is_null(), "nobody asked for it");
    let first = place.ask("POST", PATH, TOKEN, &transfer).await;
    assert_eq!(first.status, 202, "{first:?}");
    let number = first.body["rollout"].as_u64().unwrap();
    assert_eq!(place.ask("POST", PATH, TOKEN, &transfer).await.body, first.body, "while it runs");
    place.end_rollout().await;
    deploy("three").await;
    deploy("four").await;
    let again = place.ask("POST", PATH, TOKEN, &transfer).await;
    assert_eq!((again.status, &again.body), (200, &first.body), "others followed");
    let known = state("run%201/b").await;
    assert_eq!((&known["begun"]["rollout"], &known["begun"]["phase"]), (&json!(number), &json!("done")), "{known}");
    assert!(state("run%202/b").await["begun"].is_null());
}

#[tokio::test]
async fn a_request_that_was_overtaken_begins_nothing() {
    let place = Place::start().await;
    for label in ["one", "two"] {
        let body = json!({"flows": flows(label)}).to_string();
        assert!(place.ask("POST", "/api/v1/groups/g/deploy", TOKEN, &body).await.status < 300);
        place.end_rollout().await;
    }
    let desired = DesiredStates::new(place.store.clone(), "g").unwrap();
    let (state, _) = desired.load().await.unwrap().unwrap();
    let (last, other) = (state.rollout.unwrap().number, "0".repeat(16));
    let begin = async |seen: u64| {
        desired.begin_after(&other, Some(&state.revision), Some(seen), &Rules::default(), "w", Origin::default()).await
    };
    // What it saw as the last rollout is not the last any more, although the group runs what it ran then.
    let refused = begin(last - 1).await;
    assert!(matches!(refused, Err(GroupError::Conflict { code: "overtaken", .. })), "{refused:?}");
    assert!(begin(last).await.is_ok());
}
