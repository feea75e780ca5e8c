//! Settings of an instance in FlowFuse's form and in Node-RED's.

use serde_json::{Map, Value, json};

use super::snapshot::{FlowFuseSnapshot, FlowFuseVar};

/// The variable that flows take the time zone from.
const ZONE: &str = "TZ";

/// The settings of a snapshot as Node-RED names them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// Settings under Node-RED's names.
    pub settings: Map<String, Value>,
    /// The time zone, for `TZ`.
    pub zone: Option<String>,
}

impl FlowFuseSnapshot {
    /// The settings that count here. What protects (`httpNodeAuth`) is kept even in a form that cannot be followed, so
    /// that it is refused rather than left out.
    pub fn translated(&self) -> Translated {
        let mut out = Translated::default();
        for (name, value) in &self.settings {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("timeZone", Value::String(zone)) => out.zone = Some(zone.clone()).filter(|zone| !zone.is_empty()),
                ("apiMaxLength", limit) => {
                    out.settings.insert(name.clone(), limit.clone());
                }
                ("httpNodeAuth", Value::Object(auth)) => {
                    let text = |field: &str| auth.get(field).and_then(Value::as_str).unwrap_or_default();
                    match text("type") {
                        "none" => {}
                        "" if text("user").is_empty() => {}
                        "" | "basic" => {
                            let auth = json!({"user": text("user"), "pass": text("pass")});
                            out.settings.insert(name.clone(), auth);
                        }
                        _ => drop(out.settings.insert(name.clone(), value.clone())),
                    }
                }
                ("httpNodeCORS", Value::Object(cors)) if cors.get("enabled") == Some(&Value::Bool(true)) => {
                    out.settings.insert("httpNodeCors".to_owned(), cors_of(cors));
                }
                _ => {}
            }
        }
        out
    }

    /// Takes settings and the time zone over in FlowFuse's form.
    pub fn take_settings(&mut self, settings: &Map<String, Value>) {
        if let Some(limit) = settings.get("apiMaxLength") {
            self.settings.insert("apiMaxLength".to_owned(), limit.clone());
        }
        if let Some(Value::Object(auth)) = settings.get("httpNodeAuth") {
            let mut auth = auth.clone();
            auth.insert("type".to_owned(), "basic".into());
            self.settings.insert("httpNodeAuth".to_owned(), Value::Object(auth));
        }
        if let Some(FlowFuseVar { value, hidden: false }) = self.env.get(ZONE) {
            self.settings.insert("timeZone".to_owned(), value.as_str().into());
        }
    }
}

/// The methods that FlowFuse has a switch for.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "HEAD", "DELETE"];

fn cors_of(cors: &Map<String, Value>) -> Value {
    let on = |method: &&str| cors.get(*method) != Some(&Value::Bool(false));
    let methods: Vec<&str> = METHODS.iter().copied().filter(on).collect();
    json!({"origin": cors.get("origin").cloned().unwrap_or_else(|| "*".into()), "methods": methods.join(",")})
}
