//! schemathesis (from PyPI; `tests/run` installs it) against the API, as everybody: no 5xx, no answer outside of the schema.

use std::path::PathBuf;
use std::process::Command;

use flotilla_tests::{Part, free_ports, request, wait_for};
use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef";

/// What `tests/run` installed, or what is on the path.
fn schemathesis() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let installed = target.join("tools/bin/schemathesis");
    let program = if installed.exists() { installed } else { PathBuf::from("schemathesis") };
    Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()).then_some(program)
}

#[test]
#[ignore = "a minute for each role: run by tests/run --long"]
fn no_request_gets_an_answer_outside_of_the_schema() {
    let Some(program) = schemathesis() else {
        eprintln!("SKIPPED: schemathesis is not here: `tests/run` installs it");
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let [http, admin] = free_ports().unwrap();
    let store = format!("sqlite:{}", folder.path().join("store.db").display());
    // Without replicas: what a request starts would be another test's subject.
    let args = ["gateway", "--store", &store, "--http", &http.to_string(), "--admin", &admin.to_string()];
    let env = [("FLOTILLA_ADMIN_TOKEN", TOKEN), ("FLOTILLA_GROUP_KEY", "the group's key")];
    let _gateway = Part::start(&args, &env).unwrap();
    wait_for(admin, "/livez", 200).unwrap();
    let ask = |method: &str, path: &str, body: Value| -> Value {
        let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
        let answer = request(admin, method, path, &headers, &body.to_string()).unwrap();
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    };
    ask("POST", "/api/v1/groups", json!({"name": "default"}));
    let mut tokens = vec![("nobody", String::new())];
    for (who, role) in
        [("viewer", "viewer"), ("deployer", "deployer:default"), ("owner", "owner:default"), ("boss", "admin")]
    {
        ask("POST", "/api/v1/users", json!({"name": who, "roles": [role]}));
        let made = ask("POST", "/api/v1/tokens", json!({"user": who}));
        tokens.push((who, made["secret"].as_str().unwrap().to_owned()));
    }
    for (who, token) in tokens {
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).args(["run", &format!("http://{admin}/api/v1/openapi.json")]);
        command.args(["--checks", "not_a_server_error,content_type_conformance,response_schema_conformance"]);
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--seed", "1", "--workers", "1"]);
        command.args(["--no-color", "--generation-database", "none"]);
        if !token.is_empty() {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "as {who}:\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
