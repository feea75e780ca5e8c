//! Snapshots of FlowFuse: what its export writes is read, and what is written its import takes.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use flotilla_flows::{FlowFuseError, FlowFuseSnapshot, FlowFuseVar, is_flowfuse, read_credentials};
use serde_json::{Value, json};

/// What `forge/routes/api/snapshot.js` (import) and `Snapshot.js` (`uploadSnapshot`) of FlowFuse 2.33 do with a file: the
/// fields that the schema demands, their types, and the secret.
fn import(file: &Value, secret: Option<&str>) -> Result<(), String> {
    let demand = |fits: bool, what: &str| if fits { Ok(()) } else { Err(what.to_owned()) };
    demand(file["name"].is_string(), "name")?;
    demand(file["flows"]["flows"].is_array(), "flows.flows")?;
    demand(file["settings"].is_object(), "settings")?;
    demand(file["settings"]["env"].is_object(), "settings.env: its keys are listed")?;
    let credentials = &file["flows"]["credentials"];
    demand(credentials.is_null() || credentials.is_object(), "flows.credentials")?;
    if credentials["$"].is_string() {
        let secret = secret.ok_or("Credential secret is required when importing a snapshot with credentials")?;
        read_credentials(credentials, Some(secret)).map_err(|_| "Invalid credential secret".to_owned())?;
    }
    for (name, var) in file["settings"]["env"].as_object().unwrap() {
        demand(!name.starts_with("FF_"), "it drops FF_*")?;
        let sealed = var["hidden"] == true && var["$"].is_string();
        demand(var.is_string() || sealed || var["value"].is_string(), name)?;
    }
    for field in ["settings", "modules"] {
        demand(file["settings"][field].is_object(), field)?;
    }
    Ok(())
}

fn snapshot() -> FlowFuseSnapshot {
    let var = |value: &str, hidden| FlowFuseVar { value: value.to_owned(), hidden };
    FlowFuseSnapshot {
        id: "x1".to_owned(),
        name: "before the fair".to_owned(),
        description: "two lines\nof it".to_owned(),
        created_at: "2026-01-02T03:04:05Z".to_owned(),
        user: "ada".to_owned(),
        flows: json!([{"id": "b1", "type": "mqtt-broker"}]),
        credentials: serde_json::from_value(json!({"b1": {"user": "u", "password": "hush-1"}})).unwrap(),
        env: [("HOST".to_owned(), var("a", false)), ("TOKEN".to_owned(), var("hush-2 äö", true))].into(),
        modules: [("node-red".to_owned(), "4.1.0".to_owned())].into(),
        settings: json!({"timeZone": "Europe/Berlin"}).as_object().unwrap().clone(),
    }
}

#[test]
fn what_is_written_their_import_takes_and_is_read_back_the_same() {
    let file = snapshot().write("secret");
    import(&file, Some("secret")).unwrap();
    assert!(import(&file, Some("other")).is_err() && import(&file, None).is_err());
    assert!(is_flowfuse(&file));
    assert!(!file.to_string().contains("hush"));
    assert_eq!(FlowFuseSnapshot::read(&file, Some("secret")).unwrap(), snapshot());
    assert!(matches!(FlowFuseSnapshot::read(&file, None), Err(FlowFuseError::Credentials(_))));
    assert!(matches!(FlowFuseSnapshot::read(&file, Some("other")), Err(FlowFuseError::Credentials(_))));
    let bare = FlowFuseSnapshot { credentials: std::collections::HashMap::new(), ..snapshot() };
    assert!(
        matches!(FlowFuseSnapshot::read(&bare.write("secret"), None), Err(FlowFuseError::Env { name, .. }) if name == "TOKEN")
    );
}

/// Encrypted with OpenSSL, so that our own cipher does not check itself: AES-256-CTR, SHA-256 of "s3cret" as key, the first 32
/// hex digits as initialisation vector.
#[test]
fn an_export_of_theirs_is_read() {
    let file = json!({
        "id": "aBcD", "name": "s", "description": "", "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z",
        "user": {"id": "u", "username": "ada", "name": "Ada"}, "exportedBy": {"username": "ada"}, "ownerType": "instance",
        "settings": {
            "settings": {"timeZone": "UTC", "apiMaxLength": "1mb", "theme": "forge-light",
                "httpNodeAuth": {"type": "basic", "user": "u", "pass": "$2b$10$x"},
                "httpNodeCORS": {"enabled": true, "origin": "*", "GET": true, "DELETE": false}},
            "env": {"FF_INSTANCE_ID": "1", "HOST": "a", "PORT": 1883, "OLD": {"value": "v", "hidden": true},
                "TOKEN": {"hidden": true, "$": "000102030405060708090a0b0c0d0e0fax4+XQ=="}},
            "modules": {"node-red": "4.0.9", "node-red-contrib-s7": "~3.1.0"}
        },
        "flows": {"flows": [{"id": "b1", "type": "mqtt-broker"}], "credentials": {"$": "000102030405060708090a0b0c0d0e0feEkvBItXl8L6+SucIo+k0aIjiX1/nywBrronQBe0eSJ8Uw=="}}
    });
    let read = FlowFuseSnapshot::read(&file, Some("s3cret")).unwrap();
    assert_eq!(read.env.keys().map(String::as_str).collect::<Vec<_>>(), ["HOST", "OLD", "PORT", "TOKEN"]);
    assert_eq!(read.env["TOKEN"], FlowFuseVar { value: "hush".to_owned(), hidden: true });
    assert_eq!((read.env["PORT"].value.as_str(), read.env["OLD"].hidden), ("1883", true));
    assert_eq!(read.credentials["b1"]["password"], "p");
    let translated = read.translated();
    assert_eq!(translated.zone.as_deref(), Some("UTC"));
    assert_eq!(
        Value::Object(translated.settings),
        json!({"apiMaxLength": "1mb", "httpNodeAuth": {"user": "u", "pass": "$2b$10$x"},
            "httpNodeCors": {"origin": "*", "methods": "GET,POST,PUT,PATCH,HEAD"}})
    );
    let mut other = read.clone();
    other.settings.insert("httpNodeAuth".to_owned(), json!({"type": "flowforge-user"}));
    assert!(other.translated().settings.contains_key("httpNodeAuth"), "what protects is never left out");
    for gone in ["/name", "/settings", "/flows"] {
        let mut bad = file.clone();
        bad.as_object_mut().unwrap().remove(&gone[1..]);
        assert!(matches!(FlowFuseSnapshot::read(&bad, Some("s3cret")), Err(FlowFuseError::Shape(_))), "{gone}");
    }
}
