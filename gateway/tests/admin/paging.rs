//! Lists in pages.

use std::collections::BTreeSet;

use crate::place::{Answer, Place, TOKEN};

/// The address in the header `Link`.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.head.lines().find(|line| line.to_lowercase().starts_with("link:"))?;
    let (_, rest) = link.split_once('<')?;
    let (address, kind) = rest.split_once('>')?;
    assert_eq!(kind.trim(), "; rel=\"next\"");
    Some(address.to_owned())
}

/// Names of a page.
fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_users_come_and_go() {
    let place = Place::start().await;
    for name in ["b", "d", "f", "h", "j", "l", "n"] {
        place.user(name, &["viewer:g"], None).await;
    }
    let first = place.ask("GET", "/api/v1/users?limit=3", TOKEN, "").await;
    assert_eq!(names(&first), ["b", "d", "f"]);
    // Before the place of the cursor, behind it, and the one that it stands on.
    place.user("a", &["viewer:g"], None).await;
    place.user("g", &["viewer:g"], None).await;
    for gone in ["f", "j"] {
        assert_eq!(place.ask("DELETE", &format!("/api/v1/users/{gone}"), TOKEN, "").await.status, 204);
    }
    let second = place.ask("GET", &next(&first).expect("there is more"), TOKEN, "").await;
    assert_eq!(names(&second), ["g", "h", "l"]);
    let third = place.ask("GET", &next(&second).expect("there is more"), TOKEN, "").await;
    assert_eq!((names(&third), next(&third)), (vec!["n".to_owned()], None));
    // Without a limit, all.
    let all = place.ask("GET", "/api/v1/users", TOKEN, "").await;
    assert_eq!((names(&all).len(), next(&all)), (7, None));
}

#[tokio::test]
async fn every_list_has_pages_and_refuses_what_it_does_not_know() {
    let place = Place::start().await;
    let document = place.ask("GET", "/api/v1/openapi.json", "", "").await.body;
    let mut lists = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let is_list = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array";
        // Their cursors are places in the chain; names of variables are few.
        if !is_list || path.ends_with("/audit") || path.ends_with("/env") {
            continue;
        }
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        assert!(has("limit") && has("after"), "{path} has no pages: {parameters:?}");
        lists.insert(path.replace("{group}", "g"));
    }
    assert!(lists.len() > 10, "{lists:?}");
    for list in lists.iter().filter(|list| !list.contains('{')) {
        let ask = async |query: &str| place.ask("GET", &format!("{list}?{query}"), TOKEN, "").await;
        let found = ask("limit=1").await;
        assert!(found.status == 200 && found.body.as_array().is_some_and(|all| all.len() <= 1), "{list}: {found:?}");
        for (query, code, field) in [
            ("limit=0", "bad_limit", Some("limit")),
            ("limit=10001", "bad_limit", Some("limit")),
            ("limit=1&after=%25", "bad_cursor", Some("after")),
        ] {
            let refused = ask(query).await;
            let said = (refused.status, refused.body["code"].as_str(), refused.body["field"].as_str());
            assert_eq!(said, (400, Some(code), field), "{list}?{query}: {}", refused.body);
        }
        let mistyped = ask("limt=3").await;
        assert!(mistyped.status == 400 && mistyped.body["detail"].to_string().contains("limt"), "{list}: {mistyped:?}");
    }
}

#[tokio::test]
async fn what_no_handler_sees_is_a_problem_too() {
    let place = Place::start().await;
    for (method, path, status, code) in [
        ("GET", "/api/v1/groups/g/deadletters/abc", 400, "bad_path"),
        ("GET", "/api/v1/groups/g/logs?limit=many", 400, "bad_query"),
        ("GET", "/api/v1/groups/%ff/revisions", 400, "bad_path"),
        ("PATCH", "/api/v1/groups/g", 405, "method_not_allowed"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
    ] {
        let answer = place.ask(method, path, TOKEN, "").await;
        let said = (answer.status, answer.body["code"].as_str(), answer.body["status"].as_u64());
        assert_eq!(said, (status, Some(code), Some(u64::from(status))), "{method} {path}: {answer:?}");
        assert!(answer.head.to_lowercase().contains("application/problem+json"), "{path}: {}", answer.head);
        assert!(!answer.body["detail"].as_str().unwrap_or_default().is_empty(), "{path}: {}", answer.body);
    }
    let answer = place.ask("PATCH", "/api/v1/groups/g", TOKEN, "").await;
    assert!(answer.head.to_lowercase().contains("allow:"), "{}", answer.head);
}
