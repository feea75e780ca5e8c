//! Webhooks that start runs.

use std::io::Write;
use std::process::{Command, Stdio};

use flotilla_tests::{Part, eventually, free_ports, is_on_path, request};
use serde_json::json;

use super::world::{ENDS, World};

/// What an HMAC with SHA-256 of a text is, by OpenSSL.
fn hmac(secret: &str, text: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    told.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_signed_webhook_starts_a_run_and_a_wrong_signature_does_not() {
    if !is_on_path("openssl") {
        return eprintln!(
            "SKIPPED pipelines::hook::a_signed_webhook_starts_a_run_and_a_wrong_signature_does_not: openssl is not here (package \
             openssl): the signatures"
        );
    }
    let world = World::start();
    let pipeline = json!({"name": "p", "stages": [{"name": "dev", "group": "dev"}, {"name": "prod", "group": "prod"}]});
    let file = world.file("pipeline.json", &pipeline);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let [hook] = free_ports().unwrap();
    let secret = "a secret of both";
    let (admin, listen) = (world.admin.to_string(), hook.to_string());
    let args = ["pipeline", "hook", "p", "--admin", &admin, "--listen", &listen, "--branch", "main"];
    let _hook = Part::start(&args, &[("FLOTILLA_HOOK_SECRET", secret), ("FLOTILLA_ADMIN_TOKEN", &world.tokens["ada"])])
        .unwrap();
    let push = |branch: &str| {
        json!({"ref": format!("refs/heads/{branch}"), "after": "c0ffee", "pusher": {"name": "pusher"}}).to_string()
    };
    let send = |headers: &str, body: &str| request(hook, "POST", "/", headers, body).map(|answer| answer.status);
    eventually("the hook", ENDS, || send("", "x").ok()).unwrap();
    let github = |signature: &str| format!("X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n");
    let body = push("main");
    assert_eq!(send("X-GitHub-Event: push\r\n", &body).unwrap(), 401);
    assert_eq!(send(&github(&hmac("another secret", &body)), &body).unwrap(), 401);
    assert_eq!(send(&github(&hmac(secret, &push("dev"))), &body).unwrap(), 401, "signed, but another body");
    assert_eq!(send("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: wrong\r\n", &body).unwrap(), 401);
    let other = push("dev");
    assert_eq!(send(&github(&hmac(secret, &other)), &other).unwrap(), 202, "another branch");
    assert_eq!(world.json(&["pipeline", "history", "p"]), json!([]));
    assert_eq!(send(&github(&hmac(secret, &body)), &body).unwrap(), 202);
    let repeated = format!("{}X-GitHub-Delivery: another\r\n", github(&hmac(secret, &body)));
    assert_eq!(send(&repeated, &body).unwrap(), 202);
    assert_eq!(world.json(&["pipeline", "history", "p"]).as_array().unwrap().len(), 1, "a repeated one starts nothing");
    let next = body.replace("c0ffee", "c0ffee2");
    assert_eq!(send(&format!("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: {secret}\r\n"), &next).unwrap(), 202);
    for (number, commit) in [(1, "c0ffee"), (2, "c0ffee2")] {
        let run = world.ends(number);
        assert_eq!(
            (&run["phase"], &run["actor"], &run["message"]),
            (&json!("done"), &json!("ada"), &json!(format!("push of {commit} to main by pusher")))
        );
    }
}
