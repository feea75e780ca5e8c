//! Parameters in paths and queries that are not what they are to be.

use serde_json::Value;

use crate::place::{Answer, Place, TOKEN};

const BAD: &str = "no%20number";

/// True for a parameter that takes no text: a number, or true and false. One that may be left out has "null" beside its type.
fn is_strict(schema: &Value) -> bool {
    let kinds = schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |kinds| kinds.iter().collect());
    kinds.iter().any(|kind| *kind == "integer" || *kind == "boolean" || *kind == "number")
}

fn is_problem_of(answer: &Answer, name: &str, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {answer:?}");
    let kind = "content-type: application/problem+json";
    assert!(answer.head.to_lowercase().contains(kind), "{what}: {}", answer.head);
    assert_eq!(answer.body["field"], name, "{what}");
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    for part in [name, "\"no number\"", "it must be "] {
        assert!(detail.contains(part), "{what}: {part} is not in: {detail}");
    }
}

#[tokio::test]
async fn a_bad_parameter_of_any_route_is_named_with_its_value_and_what_is_allowed() {
    let place = Place::start().await;
    let document = place.ask("GET", "/api/v1/openapi.json", "", "").await.body;
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap();
            let fill = |bad: &str| {
                let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
                in_path.fold(path.clone(), |path, parameter| {
                    let name = parameter["name"].as_str().unwrap();
                    let value = if name == bad {
                        BAD
                    } else if name == "group" {
                        "g"
                    } else {
                        "1"
                    };
                    path.replace(&format!("{{{name}}}"), value)
                })
            };
            for parameter in parameters.iter().filter(|parameter| is_strict(&parameter["schema"])) {
                let name = parameter["name"].as_str().unwrap();
                let address = match parameter["in"].as_str() {
                    Some("path") => fill(name),
                    Some("query") => format!("{}?{name}={BAD}", fill("")),
                    other => panic!("a parameter in {other:?}"),
                };
                let method = method.to_uppercase();
                let answer = place.ask(&method, &address, TOKEN, "{}").await;
                is_problem_of(&answer, name, &format!("{method} {address}"));
                asked += 1;
            }
        }
    }
    assert!(asked >= 15, "only {asked} parameters were tried");
}

#[tokio::test]
async fn a_path_that_is_no_utf_8_and_a_parameter_that_nobody_knows_are_problems() {
    let place = Place::start().await;
    let answer = place.ask("GET", "/api/v1/groups/%ff", TOKEN, "").await;
    assert_eq!((answer.status, answer.code()), (400, "bad_path"), "{answer:?}");
    assert!(answer.body["detail"].as_str().unwrap().contains("`group`"), "{answer:?}");
    let answer = place.ask("GET", "/api/v1/groups?limt=5", TOKEN, "").await;
    assert_eq!((answer.status, answer.code()), (400, "bad_query"), "{answer:?}");
    assert_eq!(answer.body["field"], "limt");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("\"5\"") && detail.contains("`limit`"), "{detail}");
}
