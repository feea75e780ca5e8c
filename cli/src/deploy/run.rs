//! Sends the document, shows the rollout.

use std::process::ExitCode;

use flotilla_api::deploy::Deploy;
use flotilla_api::{ClientError, Problem};

use super::args::DeployArgs;
use super::{dry_run, foreign};
use crate::client;
use crate::exit::Exit;
use crate::flow_files;
use crate::plain;
use crate::plain::print;
use crate::rollout::watch;

/// Deploys. With `--wait` the exit code says how the rollout ended.
pub async fn run(args: DeployArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let files = flow_files::read_given(args.flows.as_deref(), &args.flow)?;
    let client = group.client();
    let deploy = Deploy {
        flows: files.flows,
        credentials: files.credentials,
        credential_secret: args.flow.credential_secret.clone(),
        env: files.env,
        settings: files.settings,
        message: args.message,
        allow_unknown: args.allow_unknown,
        tests: args.tests.as_deref().map(flow_files::text_or_stdin).transpose()?,
        override_protection: args.override_protection,
        rules: args.rules.rules(&client, &group.group).await?,
        ..Deploy::default()
    };
    let taken = foreign::take(args.change.apply(deploy)?)?;
    let deploy = taken.deploy;
    if !taken.modules.is_empty() {
        let list = plain::one_line(&taken.modules.join(", ")).into_owned();
        eprintln!(
            "flotilla: the snapshot names npm packages: {list}; --node-modules of the replicas gives them to functions"
        );
    }
    if args.dry_run {
        return match client.dry_run(&group.group, &deploy).await {
            Ok(found) => Ok(dry_run::show(&found, group.admin.json)),
            Err(ClientError::Refused(problem)) => Ok(refused(problem, group.admin.json)),
            Err(error) => Err(error.into()),
        };
    }
    let begun = match client.deploy(&group.group, &deploy).await {
        Ok(begun) => begun,
        Err(ClientError::Refused(problem)) => return Ok(refused(problem, group.admin.json)),
        Err(error) => return Err(error.into()),
    };
    if !group.admin.json {
        print(&format!("revision {}\n", begun.revision));
        for finding in &begun.findings {
            print(&format!("  {}: {} \"{}\": {}\n", finding.severity, finding.kind, finding.name, finding.what));
        }
    }
    if begun.rollout.members.is_empty() && !group.admin.json {
        eprintln!("flotilla: no replica of group \"{}\" runs now; those that start will run it", group.group);
    }
    if args.wait {
        return watch(group, begun.rollout.number).await;
    }
    if group.admin.json {
        client::json(&begun);
    } else {
        print("the rollout has begun: see `flotilla rollout status`\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a refusal; the exit code says which.
pub fn refused(problem: Problem, as_json: bool) -> ExitCode {
    if as_json {
        client::json(&problem);
    } else {
        eprintln!("flotilla: refused ({}), nothing changed:", problem.code);
        if problem.problems.is_empty() {
            eprintln!("  {}", plain::lines(&problem.detail));
        }
        for part in &problem.problems {
            eprintln!("  {}: {}", plain::one_line(part.subject()), plain::one_line(&part.detail));
        }
        if problem.problems.iter().any(|part| part.code == "unknown_type") {
            eprintln!("Deploy it with --allow-unknown to let nodes of unknown types swallow messages, visibly");
        }
    }
    Exit::of_client(&ClientError::Refused(problem)).into()
}
