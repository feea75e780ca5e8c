//! What the API says of itself.

use flotilla_gateway::admin::api_routes;
use serde_json::Value;

use crate::place::Place;

#[tokio::test]
async fn every_route_is_in_the_document_and_described() {
    let place = Place::start().await;
    let answer = place.ask("GET", "/api/v1/openapi.json", "", "").await;
    assert_eq!((answer.status, answer.body["openapi"].as_str()), (200, Some("3.1.0")));
    for route in api_routes().iter().filter(|route| route.path.starts_with("/api/v1/")) {
        let operation = &answer.body["paths"][route.path][route.method.as_str().to_lowercase()];
        assert!(operation["responses"]["default"].is_object(), "{} {}", route.method, route.path);
        let is_itself = ["/api/v1/openapi.json", "/api/v1/docs"].contains(&route.path);
        assert!(
            is_itself || operation["summary"].is_string(),
            "{} {} is not in operations.rs",
            route.method,
            route.path
        );
    }
    // Every reference leads somewhere.
    let mut references = Vec::new();
    collect(&answer.body, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(answer.body.pointer(pointer).is_some(), "{reference}");
    }
    let page = place.ask("GET", "/api/v1/docs", "", "").await;
    assert!(page.status == 200 && page.head.to_lowercase().contains("text/html"), "{}", page.head);
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
