//! Sends the document, shows the rollout.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::DeployArgs;
use crate::client::{self, ApiError};
use crate::flow_files;
use crate::review::print;
use crate::rollout::watch;

/// The document or the rules were refused; nothing changed.
const REFUSED: u8 = 2;

/// Deploys. 0 when the rollout began (with `--wait`: when it is done), 1 when it was halted, 2 when it was refused.
pub async fn run(args: DeployArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let revision = flow_files::load(&args.flows, &args.flow)?;
    let spec = group.client().get(group.path("").trim_end_matches('/')).await.unwrap_or_default();
    let body = json!({
        "flows": revision.flows, "credentials": revision.credentials, "credential_secret": args.flow.credential_secret,
        "env": revision.env, "settings": revision.settings, "message": args.message, "actor": client::actor(),
        "allow_unknown": args.allow_unknown, "rules": args.rules.to_json(&spec),
    });
    let begun = match group.client().post(&group.path("deploy"), &body).await {
        Ok(begun) => begun,
        Err(error) => return refused(error, group.admin.json),
    };
    let id = begun["revision"].as_str().unwrap_or_default();
    if !group.admin.json {
        print(&format!("revision {id}\n"));
        for finding in begun["findings"].as_array().into_iter().flatten() {
            let text = |field: &str| finding[field].as_str().unwrap_or_default();
            print(&format!("  {}: {} \"{}\": {}\n", text("severity"), text("type"), text("name"), text("what")));
        }
    }
    match begun["rollout"]["number"].as_u64() {
        Some(number) if args.wait => watch(group, number).await,
        _ => {
            if group.admin.json {
                client::json(&begun);
            } else {
                print("the rollout has begun: see `flotilla rollout status`\n");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn refused(error: anyhow::Error, as_json: bool) -> anyhow::Result<ExitCode> {
    let Some(refusal) = error.downcast_ref::<ApiError>() else { return Err(error) };
    if as_json {
        client::json(&refusal.body);
    } else {
        eprintln!("flotilla: refused ({}), nothing changed:", refusal.code);
        let lines = |problem: &Value| problem["detail"].as_str().map(|detail| format!("{}: {detail}", name(problem)));
        let problems: Vec<String> =
            refusal.body["problems"].as_array().into_iter().flatten().filter_map(lines).collect();
        if problems.is_empty() {
            eprintln!("  {}", refusal.detail);
        }
        for line in problems {
            eprintln!("  {line}");
        }
        let unknown = |problem: &Value| problem["code"] == "unknown_type";
        if refusal.body["problems"].as_array().into_iter().flatten().any(unknown) {
            eprintln!("Deploy it with --allow-unknown to let nodes of unknown types swallow messages, visibly");
        }
    }
    Ok(ExitCode::from(REFUSED))
}

fn name(problem: &Value) -> &str {
    let text = |field: &str| problem[field].as_str().filter(|text| !text.is_empty());
    text("name").or_else(|| text("node")).unwrap_or("flow document")
}
