//! `ETag` and `If-Match` on every route that changes something: a change of what was changed meanwhile is refused. The table in
//! `docs/api.md` is made from the routes: `UPDATE_DOCS=1` writes it.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::Method;
use flotilla_api::deadletter::{DeadLetter, DeadLetterContent};
use flotilla_api::placement::{HostFacts, HostLoad};
use flotilla_api::trail::TrailRule;
use flotilla_gateway::admin::{Route, Versioned, api_routes};
use flotilla_group::deadletter::DeadLetters;
use flotilla_group::host::HostRegistration;
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_group::trail::TrailRules;
use serde_json::json;

use crate::page::has_table;
use crate::place::{Answer, Place, TOKEN};

const BEGIN: &str = "<!-- made by gateway/tests/admin/versions.rs -->\n";
const STALE: &str = "\"99999999\"";

/// Routes of our own that may change something.
fn changing() -> Vec<Route> {
    let own = api_routes().into_iter().filter(|route| route.path.starts_with("/api/v1/"));
    own.filter(|route| route.method != Method::GET).collect()
}

fn tag(answer: &Answer) -> Option<String> {
    answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned)
}

/// The path with names in it, `name` for the thing itself.
fn path(route: &Route, name: &str) -> String {
    let group = if route.versioned == Some(Versioned::Group) { name } else { "g" };
    let path = route.path.replace("{group}", group);
    ["{user}", "{name}", "{host}"].iter().fold(path, |path, part| path.replace(part, name)).replace("{id}", "1")
}

/// What is sent; `nth` makes each one another.
fn body(route: &Route, name: &str, nth: usize) -> String {
    let (method, path) = (route.method.as_str(), route.path.trim_start_matches("/api/v1/"));
    match (method, path) {
        ("DELETE", _) => json!({}),
        ("PUT", "users/{user}/roles") => json!({"roles": ["viewer:g", format!("viewer:g{nth}")]}),
        ("PUT", "users/{user}/password") => json!({"password": format!("long enough {nth}")}),
        ("PUT", "groups/{group}") => json!({"name": name, "description": format!("{nth}")}),
        // Nobody starts replicas here.
        ("PUT", "groups/{group}/scale") => json!({"replicas": 2}),
        ("POST", "hosts/{host}/drain" | "hosts/{host}/undrain") => json!({}),
        ("PUT", "groups/{group}/env/secrets") => json!({"set": {"A": format!("{nth}")}}),
        ("PUT", "pipelines/{name}/stages/{stage}/token") => json!({"token": "flt_none"}),
        ("PUT", "groups/{group}/deadletters/{id}/payload") => json!({"payload": "bmV3"}),
        ("POST", "groups/{group}/deadletters/{id}/replay") => json!({}),
        // No replica is here that could read it.
        ("PUT", "groups/{group}/trails/rule") => json!({"next": 1}),
        _ => panic!("{method} {path}: say what this test sends there"),
    }
    .to_string()
}

/// Makes the thing.
async fn make(place: &Place, versioned: Versioned, name: &str) {
    let post = async |path: &str, body: serde_json::Value| {
        let made = place.ask("POST", path, TOKEN, &body.to_string()).await;
        assert_eq!(made.status, 201, "{path}: {made:?}");
    };
    match versioned {
        Versioned::User => place.user(name, &["viewer:g"], None).await,
        Versioned::Group => place.group(name, false).await,
        Versioned::ServerGroup => {
            post("/api/v1/server-groups", json!({"name": name, "policy": "anti-affinity"})).await;
        }
        Versioned::Host => {
            let facts = HostFacts { name: name.to_owned(), ..HostFacts::default() };
            let load = HostLoad { key: "k".to_owned(), ..HostLoad::default() };
            let life = Duration::from_secs(10);
            HostRegistration::join(place.store.clone(), facts, "a", life, load).await.unwrap().leave().await;
        }
        Versioned::Env => {
            let path = "/api/v1/groups/g/env/secrets";
            let made = place.ask("PUT", path, TOKEN, r#"{"set":{"B":"b"}}"#).await;
            assert_eq!(made.status, 200, "{made:?}");
        }
        Versioned::Pipeline => {
            let stages = json!([{"name": "a", "group": "g"}, {"name": "b", "group": "other"}]);
            post("/api/v1/pipelines", json!({"name": name, "stages": stages})).await;
        }
        Versioned::DeadLetter => {
            // The first of its group has the number 1.
            let prefix = "group/g/deadletter";
            for entry in place.store.list(prefix).await.unwrap() {
                place.store.delete(&entry.key, None).await.unwrap();
            }
            let ring = KeyRing::new(place.store.clone(), Some("the group's key"), Restart::Given);
            let letter = DeadLetter { topic: "t".to_owned(), bytes: 3, ..DeadLetter::default() };
            let content =
                DeadLetterContent { letter, payload: Some("b2xk".to_owned()), ..DeadLetterContent::default() };
            let kept = DeadLetters::new(place.store.clone(), "g", ring).unwrap().keep(content).await.unwrap();
            assert_eq!(kept.id, 1);
        }
        Versioned::TrailRule => {
            let rule = TrailRule { next: Some(5), ..TrailRule::default() };
            TrailRules::new(place.store.clone(), "g").unwrap().set(Some(&rule)).await.unwrap();
        }
        Versioned::No(_) => {}
    }
}

/// Where a thing is looked at.
fn shown_at(versioned: Versioned) -> Route {
    let shows = |route: &Route| route.method == Method::GET && route.versioned == Some(versioned);
    api_routes().into_iter().find(shows).unwrap_or_else(|| panic!("{versioned:?} has no GET that shows its version"))
}

#[test]
fn every_change_says_what_it_is_a_change_of() {
    let mut table = String::from("| change | the version is that of |\n| --- | --- |\n");
    for route in changing() {
        let must = route.method != Method::POST;
        let cell = match route.versioned {
            Some(Versioned::No(why)) => format!("none: {why}"),
            Some(versioned) => {
                format!(
                    "{}: `GET {}`",
                    versioned.word().unwrap(),
                    shown_at(versioned).path.trim_start_matches("/api/v1")
                )
            }
            None => {
                assert!(!must, "{} {}: say in routes.rs what it changes the version of", route.method, route.path);
                continue;
            }
        };
        writeln!(table, "| `{} {}` | {cell} |", route.method, route.path.trim_start_matches("/api/v1")).unwrap();
    }
    has_table("api.md", BEGIN, &table);
}

#[tokio::test]
async fn every_change_is_of_the_version_that_it_names() {
    let place = Place::start().await;
    let document = place.ask("GET", "/api/v1/openapi.json", "", "").await.body;
    let (mut done, mut shown) = (0, 0);
    for (number, route) in changing().into_iter().enumerate() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let described = operation["responses"]["412"].is_object();
        let name = format!("thing-{number}");
        let send = async |tag: &str, nth: usize| {
            let headers = if tag.is_empty() { String::new() } else { format!("If-Match: {tag}\r\n") };
            let body = body(&route, &name, nth);
            place
                .send(route.method.as_str(), &path(&route, &name).replace("{stage}", "a"), TOKEN, &headers, &body)
                .await
        };
        let what = format!("{} {}", route.method, route.path);
        let Some(versioned) = route.versioned.filter(|versioned| versioned.word().is_some()) else {
            assert!(!described, "{what}");
            // Nothing is done: a client that names a version must not be believed to have been heard.
            let path = path(&route, &name);
            let names = ["{replica}", "{stage}", "{sha256}", "{index}", "{number}", "{what}", "{node}", "{to}"];
            let path = names.iter().fold(path, |path, part| path.replace(part, "1"));
            let refused = place.send(route.method.as_str(), &path, TOKEN, "If-Match: \"1\"\r\n", "{}").await;
            assert_eq!((refused.status, refused.code()), (412, "has_no_versions"), "{what}: {refused:?}");
            continue;
        };
        assert!(described, "{what} is not described with If-Match");
        make(&place, versioned, &name).await;
        let at = path(&shown_at(versioned), &name);
        let look = async || place.ask("GET", &at, TOKEN, "").await;
        let first = look().await;
        let begun = tag(&first).unwrap_or_else(|| panic!("{at} shows no ETag: {first:?}"));
        assert_eq!(tag(&look().await).as_ref(), Some(&begun), "{at}: looking changes nothing");
        let stale = send(STALE, 0).await;
        assert_eq!((stale.status, stale.code()), (412, "changed_meanwhile"), "{what}: {stale:?}");
        assert_eq!(stale.body["field"], "If-Match");
        assert_eq!(look().await.body, first.body, "{what} changed something all the same");
        // Of two that saw the same one is refused, or neither changes anything.
        let (one, other) = tokio::join!(send(&begun, 1), send(&begun, 2));
        let (one, other) = (one.status, other.status);
        assert!(one != 412 || other != 412, "{what}: the right version is refused");
        let after = look().await;
        if tag(&after).as_ref() == Some(&begun) {
            assert_eq!(after.body, first.body, "{what} changes something and keeps the version");
            continue;
        }
        let successes = [one, other].into_iter().filter(|status| *status < 300).count();
        assert_eq!(successes, 1, "{what}: both changes of one version were made: {one}, {other}");
        let late = send(&begun, 3).await;
        assert!([412, 404].contains(&late.status), "{what}: {late:?}");
        // An answer shows the version that the change made.
        if after.status == 200 {
            let changed = send("", 4).await;
            assert!(changed.status < 300, "{what}: {changed:?}");
            if let Some(made) = tag(&changed) {
                assert_eq!(Some(made), tag(&look().await), "{what}");
                shown += 1;
            }
        }
        done += 1;
    }
    assert!(shown >= 3, "only {shown} answers to a change show the version that it made");
    assert!(done >= 11, "only {done} changes were made");
}

#[tokio::test]
async fn a_version_is_named_as_rfc_9110_has_it_or_refused_with_what_to_do() {
    let place = Place::start().await;
    let look = async || tag(&place.ask("GET", "/api/v1/groups/g", TOKEN, "").await).unwrap();
    let edit = async |tags: &str| {
        let body = json!({"name": "g", "description": tags}).to_string();
        place.send("PUT", "/api/v1/groups/g", TOKEN, &format!("If-Match: {tags}\r\n"), &body).await
    };
    let first = look().await;
    let unquoted = edit(first.trim_matches('"')).await;
    assert_eq!((unquoted.status, unquoted.code()), (400, "bad_if_match"), "{unquoted:?}");
    assert_eq!(unquoted.body["field"], "If-Match");
    let weak = edit(&format!("W/{first}")).await;
    assert_eq!((weak.status, weak.code()), (412, "changed_meanwhile"), "a weak tag fits nothing: {weak:?}");
    assert_eq!(look().await, first, "nothing was changed");
    for tags in [format!("{STALE}, {first}"), "*".to_owned()] {
        let edited = edit(&tags).await;
        assert_eq!(edited.status, 200, "{tags}: {edited:?}");
    }
}
