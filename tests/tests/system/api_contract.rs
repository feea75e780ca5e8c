//! schemathesis (from PyPI; `tests/run` installs it) against the API, as everybody: no 5xx, no answer outside of the schema.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Part, eventually, free_ports, request, wait_for};
use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef";
const CHECKS: &str = "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance";
/// How long a round may take.
const ROUND: Duration = Duration::from_mins(15);
/// What ends the group, the users or the tokens that the rounds are made with: a round of its own, the last one. Each request
/// with a token that is void by then would be answered late, and try nothing.
const ENDS: [&str; 3] = ["delete-groups-group", "delete-users-user", "delete-tokens-id"];
const ALL: &str = "examples,coverage,fuzzing";
const BUT: &str = "--exclude-operation-id";

/// One run of schemathesis.
struct Round {
    who: &'static str,
    phases: &'static str,
    /// For each route.
    examples: &'static str,
    /// Whether what ends others is left out, or is all.
    which: &'static str,
}

/// Everything as the admin, who is let in everywhere; as others what rights can change.
const ROUNDS: [Round; 6] = [
    Round { who: "nobody", phases: "fuzzing", examples: "5", which: BUT },
    Round { who: "viewer", phases: "fuzzing", examples: "5", which: BUT },
    Round { who: "deployer", phases: "fuzzing", examples: "5", which: BUT },
    Round { who: "owner", phases: ALL, examples: "5", which: BUT },
    Round { who: "boss", phases: ALL, examples: "25", which: BUT },
    Round { who: "boss", phases: ALL, examples: "25", which: "--include-operation-id" },
];

/// What `tests/run` installed, or what is on the path.
fn schemathesis() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let installed = target.join("tools/bin/schemathesis");
    let program = if installed.exists() { installed } else { PathBuf::from("schemathesis") };
    Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()).then_some(program)
}

#[test]
#[ignore = "some minutes: run by tests/run --long"]
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
    // The gateway's own token is nobody's to make void.
    let mut tokens = vec![("nobody", String::new()), ("boss", TOKEN.to_owned())];
    for (who, role) in [("viewer", "viewer"), ("deployer", "deployer:default"), ("owner", "owner:default")] {
        ask("POST", "/api/v1/users", json!({"name": who, "roles": [role]}));
        let made = ask("POST", "/api/v1/tokens", json!({"user": who}));
        tokens.push((who, made["secret"].as_str().unwrap().to_owned()));
    }
    let token = |who: &str| tokens.iter().find(|(name, _)| *name == who).unwrap().1.clone();
    for Round { who, phases, examples, which } in ROUNDS {
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).args(["run", &format!("http://{admin}/api/v1/openapi.json")]);
        command.args(["--checks", CHECKS, "--phases", phases, "--max-examples", examples, "--seed", "1"]);
        command.args(["--workers", "1", "--no-color", "--generation-database", "none", "--request-timeout", "5"]);
        command.args(ENDS.iter().flat_map(|operation| [which, *operation]));
        let token = token(who);
        if !token.is_empty() {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let (text, good) = run(command, &folder.path().join("output"));
        assert!(good, "as {who}:\n{text}");
        let cases = text.lines().find(|line| line.contains("generated")).unwrap_or_default();
        println!("as {who}, {phases}: {}", cases.trim());
        // A round whose credential does not hold tries nothing.
        let shown = request(admin, "GET", "/api/v1/whoami", &format!("Authorization: Bearer {token}\r\n"), "").unwrap();
        assert_eq!(shown.status, if token.is_empty() { 401 } else { 200 }, "as {who}: {}", shown.body);
    }
}

/// Runs it to its end, which it has to come to; what it printed, and whether it found nothing.
fn run(mut command: Command, output: &Path) -> (String, bool) {
    let file = File::create(output).unwrap();
    let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let ended = eventually("schemathesis to end", ROUND, || child.try_wait().unwrap());
    let _ = child.kill();
    let text = std::fs::read_to_string(output).unwrap();
    let ended = ended.unwrap_or_else(|error| panic!("{error}\n{text}"));
    (text, ended.success())
}
