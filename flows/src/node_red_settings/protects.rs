//! Settings that protect something and that have no effect here: they are refused, not left out.

use serde_json::{Map, Value};

/// Settings that protect, and what takes their place.
const PROTECT: &[(&str, &str)] = &[
    ("httpNodeMiddleware", "use httpNodeAuth, or a proxy before the gateway"),
    ("webSocketNodeVerifyClient", "use a proxy before the gateway"),
    ("requireHttps", "put a proxy with a certificate before the gateway, which sends clients to https"),
];

/// Why settings cannot be taken as they are: the setting, and what to do.
pub fn unprotected(settings: &Map<String, Value>) -> Option<(&'static str, String)> {
    let set = |name: &str| settings.get(name).is_some_and(|value| !value.is_null() && *value != Value::Bool(false));
    if let Some((name, instead)) = PROTECT.iter().find(|(name, _)| set(name)) {
        let why =
            format!("the setting {name} protects what flows serve and has no effect here: {instead}, and take it out");
        return Some((name, why));
    }
    let bad =
        ["httpNodeAuth", "httpStaticAuth"].into_iter().find(|name| set(name) && !is_password(&settings[*name]))?;
    let why = "must be {\"user\": NAME, \"pass\": HASH} with a bcrypt hash, as `node-red admin hash-pw` makes it";
    Some((bad, format!("{bad} {why}")))
}

/// True for a user with a bcrypt hash.
fn is_password(auth: &Value) -> bool {
    let text = |field: &str| auth.get(field).and_then(Value::as_str).unwrap_or_default();
    !text("user").is_empty() && text("pass").starts_with("$2")
}

/// True for a setting that protects what flows serve and that has no effect here.
pub(super) fn protects(name: &str) -> bool {
    PROTECT.iter().any(|(protecting, _)| *protecting == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_setting_that_protects_is_not_left_out_silently() {
        let found = |settings: Value| unprotected(settings.as_object().unwrap()).map(|(name, _)| name);
        assert_eq!(found(json!({"requireHttps": true})), Some("requireHttps"));
        assert_eq!(found(json!({"requireHttps": false, "httpNodeMiddleware": null})), None);
        assert_eq!(found(json!({"httpNodeAuth": {"user": "u", "pass": "plain"}})), Some("httpNodeAuth"));
        assert_eq!(found(json!({"httpNodeAuth": {"user": "u", "pass": "$2b$08$abc"}})), None);
    }
}
