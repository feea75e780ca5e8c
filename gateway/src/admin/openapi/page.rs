//! The document as a page: no script, nothing from elsewhere.

use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
    code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f5f5f5;padding:.7rem;overflow:auto}\
    h2{margin-top:2.5rem;border-bottom:1px solid #ddd}summary{cursor:pointer;padding:.25rem 0}\
    .m{display:inline-block;min-width:4rem;font-weight:600}.s{color:#555}\
    @media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}pre{background:#242424}.s{color:#aaa}}";

pub(super) fn page(document: &Value) -> String {
    let mut tags: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
            let text = operation_text(path, method, operation);
            match tags.iter_mut().find(|(name, _)| *name == tag) {
                Some((_, all)) => all.push_str(&text),
                None => tags.push((tag, text)),
            }
        }
    }
    let body: String = tags.iter().map(|(tag, text)| format!("<h2>{}</h2>{text}", escape(tag))).collect();
    let schemas: String = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let name = escape(name);
            format!("<details id=\"{name}\"><summary><code>{name}</code></summary>{}</details>", pre(schema))
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Flotilla's API</title><style>{STYLE}</style>\
         <h1>Flotilla's API</h1><p>Version {}. Send <code>Authorization: Bearer TOKEN</code>; errors are \
         <code>application/problem+json</code>. For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>\
         {body}<h2>Types</h2>{schemas}</html>",
        escape(document["info"]["version"].as_str().unwrap_or_default()),
    )
}

fn operation_text(path: &str, method: &str, operation: &Value) -> String {
    let mut text = format!(
        "<details><summary><span class=\"m\">{}</span> <code>{}</code> <span class=\"s\">{}</span></summary><p>{}</p>",
        escape(&method.to_uppercase()),
        escape(path),
        escape(operation["summary"].as_str().unwrap_or_default()),
        escape(operation["description"].as_str().unwrap_or_default()),
    );
    let queries =
        operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query");
    for query in queries {
        let name = escape(query["name"].as_str().unwrap_or_default());
        text += &format!(
            "<p><code>?{name}=</code> {}</p>",
            escape(query["schema"]["description"].as_str().unwrap_or_default())
        );
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        text += &format!("<p>Takes</p>{}", pre(body));
    }
    for (status, answer) in
        operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| *status != "default")
    {
        let schema = &answer["content"]["application/json"]["schema"];
        text += &format!("<p>Answers {}</p>", escape(status));
        if !schema.is_null() {
            text += &pre(schema);
        }
    }
    text + "</details>"
}

fn pre(value: &Value) -> String {
    // A type is a link to itself.
    if let Some(name) = value.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<pre><a href=\"#{name}\">{name}</a></pre>");
    }
    format!("<pre>{}</pre>", escape(&format!("{value:#}")))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
