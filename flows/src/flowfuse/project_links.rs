//! The setting `flowforge`, which FlowFuse's launchers write: who the instance is to others, and where they meet.

use serde_json::{Map, Value};

/// FlowFuse's own name for its setting.
const NAME: &str = "flowforge";

/// What project links go by.
const KEPT: [&str; 4] = ["teamID", "projectID", "instanceID", "applicationID"];

/// Leaves in the settings what project links go by, and nothing secret. Answers the URL of FlowFuse's broker, with user and
/// password in it.
pub fn take_project_broker(settings: &mut Map<String, Value>) -> Option<String> {
    let Some(Value::Object(own)) = settings.remove(NAME) else { return None };
    let mut kept: Map<String, Value> =
        own.iter().filter(|(name, value)| KEPT.contains(&name.as_str()) && value.is_string()).map(entry).collect();
    let link = own.get("projectLink").and_then(Value::as_object);
    if let Some(enabled) = link.and_then(|link| link.get("featureEnabled")) {
        kept.insert("projectLink".to_owned(), serde_json::json!({"featureEnabled": enabled}));
    }
    if !kept.is_empty() {
        settings.insert(NAME.to_owned(), Value::Object(kept));
    }
    let broker = link?.get("broker")?;
    let said = |name: &str| broker.get(name).and_then(Value::as_str).unwrap_or_default();
    let (scheme, rest) = said("url").split_once("://")?;
    let user = match (said("username"), said("password")) {
        ("", _) => String::new(),
        (user, password) => format!("{}:{}@", escaped(user), escaped(password)),
    };
    Some(format!("{scheme}://{user}{rest}"))
}

fn entry((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// As the part of a URL before the host has it.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identity_stays_and_what_is_secret_goes() {
        let settings = json!({"apiMaxLength": "1mb", "flowforge": {
            "forgeURL": "https://ff.example", "teamID": "t1", "projectID": "p1", "auditLogger": {"token": "secret-1"},
            "projectLink": {"token": "secret-2", "featureEnabled": true,
                            "broker": {"url": "wss://mqtt.ff.example", "username": "instance:t1:p1", "password": "s@/cret"}}
        }});
        let mut settings = settings.as_object().unwrap().clone();
        let broker = take_project_broker(&mut settings).unwrap();
        assert_eq!(broker, "wss://instance%3At1%3Ap1:s%40%2Fcret@mqtt.ff.example");
        let expected = json!({"apiMaxLength": "1mb", "flowforge": {"teamID": "t1", "projectID": "p1", "projectLink": {"featureEnabled": true}}});
        assert_eq!(Value::Object(settings), expected);
        let mut none = Map::new();
        assert_eq!((take_project_broker(&mut none), none.len()), (None, 0));
    }
}
