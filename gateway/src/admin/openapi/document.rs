//! The document.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{Html, IntoResponse};
use flotilla_api::Problem;
use flotilla_group::rights::Right;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::api::Api;
use super::super::document::Document;
use super::super::if_match::PATTERN;
use super::super::route::Route;
use super::operation::Operation;
use super::operations::operations;
use super::page::page;

/// The document of these routes; those that are not below `/api/v1` are Node-RED's, which describes them.
pub(in super::super) fn document(routes: &[Route]) -> Document {
    let value = openapi(routes);
    Document { page: page(&value).into(), json: value.to_string().into() }
}

/// `GET /api/v1/openapi.json`
pub(in super::super) async fn get(State(api): State<Api>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], api.document.json)
}

/// `GET /api/v1/docs`
pub(in super::super) async fn get_page(State(api): State<Api>) -> Html<Bytes> {
    Html(api.document.page)
}

fn openapi(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let known = operations();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.iter().filter(|route| route.path.starts_with("/api/v1/")) {
        let operation = known.iter().find(|known| known.path == route.path && *known.method == *route.method.as_str());
        let mut shown = json!({
            "operationId": operation_id(route),
            "tags": [tag(route.path)],
            "description": format!("Needs the right `{}`.", route.right.word()),
            "parameters": parameters(route.path),
            "responses": {"default": {
                "description": "Why not",
                "content": {"application/problem+json": {"schema": problem}},
            }},
        });
        if route.right == Right::Open {
            shown["security"] = json!([]);
        }
        match operation {
            Some(operation) => describe(&mut shown, operation, &mut generator),
            None => shown["responses"]["2XX"] = json!({"description": "Done"}),
        }
        if route.versioned.is_some_and(|versioned| versioned.word().is_some()) {
            version(&mut shown, route, &problem);
        }
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = shown;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Flotilla",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The admin API of a gateway. Errors are application/problem+json with stable codes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    })
}

fn describe(shown: &mut Value, operation: &Operation, generator: &mut schemars::SchemaGenerator) {
    shown["summary"] = operation.summary.into();
    if let Some(make) = operation.query {
        let schema = make(generator);
        let definitions = generator.definitions();
        let name =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let fields = definitions.get(name).and_then(|schema| schema["properties"].as_object().cloned());
        let fields = fields.unwrap_or_default().into_iter();
        let query =
            fields.map(|(name, schema)| json!({"name": name, "in": "query", "required": false, "schema": schema}));
        if let Some(parameters) = shown["parameters"].as_array_mut() {
            parameters.extend(query);
        }
    }
    if let Some(make) = operation.body {
        shown["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": make(generator)}}});
    }
    let mut answer = json!({"description": "Done"});
    if let Some(make) = operation.answer {
        answer["content"] = json!({"application/json": {"schema": make(generator)}});
    }
    if operation.follows {
        answer["content"]["text/event-stream"] = json!({});
    }
    if shown["parameters"].as_array().is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "limit"))
        && answer["content"]["application/json"]["schema"]["type"] == "array"
    {
        let what = "With `limit`, where there is more: the address of the next page, rel=\"next\"";
        answer["headers"] = json!({"Link": {"description": what, "schema": {"type": "string"}}});
    }
    if let Some(status) = operation.before {
        let mut same = answer.clone();
        same["description"] = "It was done before".into();
        shown["responses"][status.to_string()] = same;
    }
    if operation.status == 202 {
        answer["headers"] =
            json!({"Location": {"description": "Where it is seen how far it is", "schema": {"type": "string"}}});
    }
    shown["responses"][operation.status.to_string()] = answer;
}

/// `ETag` and `If-Match`.
fn version(shown: &mut Value, route: &Route, problem: &Schema) {
    if let Some(answers) = shown["responses"].as_object_mut()
        && route.method != Method::DELETE
    {
        let tag = "The version: what a change may send as If-Match";
        for (_, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            answer["headers"]["ETag"] = json!({"description": tag, "schema": {"type": "string"}});
        }
    }
    if route.method == Method::GET {
        return;
    }
    let what = "ETags of a GET: a change of another version is refused";
    if let Some(parameters) = shown["parameters"].as_array_mut() {
        let text = json!({"type": "string", "pattern": PATTERN});
        parameters
            .push(json!({"name": "If-Match", "in": "header", "required": false, "description": what, "schema": text}));
    }
    shown["responses"]["412"] = json!({
        "description": "It was changed meanwhile (`changed_meanwhile`)",
        "content": {"application/problem+json": {"schema": problem}},
    });
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = match (name, path.contains("/deadletters/")) {
                ("what", _) if path.contains("/runs/") => json!({"enum": ["approve", "reject", "cancel"]}),
                ("number", _) => json!({"type": "integer", "minimum": 1}),
                ("id", true) => json!({"type": "integer", "minimum": 0}),
                ("what", _) => json!({"enum": ["pause", "resume", "cancel"]}),
                _ => json!({"type": "string"}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect()
}

fn tag(path: &str) -> &str {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "api", "v1", "groups", _, what, ..] => what,
        ["", "api", "v1", what, ..] => what,
        _ => "other",
    }
}

fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/");
    let words = path.split('/').map(|part| part.trim_matches(['{', '}']));
    std::iter::once(route.method.as_str().to_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("-")
}
