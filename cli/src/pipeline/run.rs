//! The subcommands of `flotilla pipeline`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use flotilla_api::pipeline::{Gates, NewRun, Phase, PipelineSpec, RemoteStage, Run, StageSpec, Verdict};
use flotilla_api::{Client, ClientError};

use super::args::{Command, PipelineArgs, WhichRun};
use super::hook::serve;
use super::show::{line, lines, title};
use super::tokens::{self, Tokens};
use crate::client;
use crate::exit::{Exit, Failure};
use crate::flow_files::json_of;
use crate::plain::print;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// A shorter secret of a webhook can be guessed.
const SHORTEST: usize = 16;
/// How often the admin API may be silent in a row meanwhile.
const PATIENCE: u32 = 100;

/// Runs the subcommand.
pub async fn run(args: PipelineArgs) -> anyhow::Result<ExitCode> {
    let client = args.admin.client();
    let as_json = args.admin.json;
    match args.command {
        Command::New { name, remote } => client::json(&template(&name, remote)),
        Command::Add { file, token_file, token_env, ca_file } => {
            let mut spec: PipelineSpec = json_of(&file, "not a pipeline: see `flotilla pipeline new`")?;
            tokens::with_authorities(&mut spec, &ca_file)?;
            let tokens = Tokens::read(&spec, &token_file, &token_env)?;
            let added = client.add_pipeline(&spec).await?;
            tokens.give(&client, &spec.name).await.with_context(|| {
                format!("pipeline \"{}\" was added, without a token: use `flotilla pipeline token`", spec.name)
            })?;
            if as_json {
                client::json(&added);
            }
        }
        Command::Token { name, stage, token_file, token_env } => {
            let token = match token_env {
                Some(variable) => tokens::of_variable(&variable)?,
                None => tokens::of_file(&token_file)?,
            };
            tokens::give(&client, &name, &stage, token).await?;
        }
        Command::List => {
            let list = client.pipelines().await?;
            if as_json {
                client::json(&list);
            } else {
                let rows = list.into_iter().map(|spec| [title(&spec), spec.name, spec.description]);
                client::table(
                    ["PIPELINE", "STAGES", "DESCRIPTION"],
                    rows.map(|[stages, name, text]| [name, stages, text]),
                );
            }
        }
        Command::Show { name } => {
            let spec = client.pipeline(&name).await?;
            let active: Vec<Run> = client.runs(&name).await?.into_iter().filter(Run::is_active).collect();
            client::json(&serde_json::json!({"pipeline": spec, "active": active}));
        }
        Command::Run { name, from, to, snapshot, message, wait } => {
            let new = NewRun { from, to, snapshot, message, once: None };
            let run = client.begin_run(&name, &new).await?;
            if wait {
                return watch(&client, &name, run.number, as_json).await;
            }
            if as_json {
                client::json(&run);
            } else {
                let number = run.number;
                print(&format!("run {number} has begun: see `flotilla pipeline history {name} --run {number}`\n"));
            }
        }
        Command::Approve(which) => judge(&client, &which, "approve", as_json).await?,
        Command::Reject(which) => judge(&client, &which, "reject", as_json).await?,
        Command::Cancel(which) => judge(&client, &which, "cancel", as_json).await?,
        Command::History { name, number: Some(number) } => {
            let run = client.run(&name, number).await?;
            if as_json {
                client::json(&run);
            } else {
                print(&lines(&run));
            }
        }
        Command::History { name, number: None } => {
            let runs = client.runs(&name).await?;
            if as_json {
                client::json(&runs);
            } else {
                let rows = runs.into_iter().map(|run| {
                    let told = if run.is_active() { run.waits_for.clone() } else { run.reason.clone() };
                    let stage = run.hop().map_or_else(String::new, |hop| hop.stage.clone());
                    [
                        run.number.to_string(),
                        client::time(run.started_ms),
                        run.actor,
                        run.phase.to_string(),
                        stage,
                        told,
                    ]
                });
                client::table(["RUN", "TIME (UTC)", "BY", "PHASE", "STAGE", "WAITS FOR, OR WHY"], rows);
            }
        }
        Command::Hook { name, listen, secret, branch } => {
            if secret.len() < SHORTEST {
                let message = format!("--secret has {} characters: use {SHORTEST} or more", secret.len());
                return Err(Failure::new(Exit::Usage, message).into());
            }
            return serve(client, name, secret, branch, listen).await;
        }
        Command::Remove { name } => client.remove_pipeline(&name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn template(name: &str, remote: bool) -> PipelineSpec {
    let stage = |name: &str, gates: Gates| StageSpec {
        name: name.to_owned(),
        group: Some(name.to_owned()),
        gates,
        ..StageSpec::default()
    };
    let tests = Gates { tests: true, ..Gates::default() };
    let mut production = stage("production", Gates { approvals: 1, ..Gates::default() });
    if remote {
        let url = "https://gateway.example.com:1881".to_owned();
        let there = RemoteStage { url, group: "production".to_owned(), ca: None, away_minutes: RemoteStage::away() };
        (production.group, production.remote) = (None, Some(there));
    }
    PipelineSpec {
        name: name.to_owned(),
        description: String::new(),
        stages: vec![stage("development", Gates::default()), stage("test", tests), production],
    }
}

async fn judge(client: &Client, which: &WhichRun, what: &str, as_json: bool) -> anyhow::Result<()> {
    let number = match which.number {
        Some(number) => number,
        None => {
            let runs = client.runs(&which.name).await?;
            let first = runs.iter().find(|run| run.is_active()).map(|run| run.number);
            let message = || format!("no run of pipeline \"{}\" is active", which.name);
            first.ok_or_else(|| Failure::new(Exit::NotFound, message()))?
        }
    };
    let by = Verdict { why: which.message.clone() };
    let run = client.judge_run(&which.name, number, what, &by).await?;
    if as_json {
        client::json(&run);
    } else {
        print(&line(&run));
    }
    Ok(())
}

/// Shows a run until it ends.
async fn watch(client: &Client, name: &str, number: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let (mut shown, mut silent, mut waited) = (0, 0, String::new());
    loop {
        let run = match client.run(name, number).await {
            Ok(run) => run,
            Err(error @ ClientError::Refused(_)) => return Err(error.into()),
            Err(error) if silent >= PATIENCE => return Err(error.into()),
            Err(_) => {
                silent += 1;
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        silent = 0;
        if !as_json {
            for entry in run.log.iter().skip(shown) {
                print(&format!("  {:<20} {}\n", entry.action, entry.why));
            }
            if run.waits_for != waited && !run.waits_for.is_empty() {
                print(&format!("  waits: {}\n", run.waits_for));
            }
        }
        (shown, waited) = (run.log.len(), run.waits_for.clone());
        if run.is_active() {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if as_json {
            client::json(&run);
        } else {
            print(&line(&run));
        }
        let halted = run.hop().is_some_and(|hop| hop.rollout > 0);
        return Ok(match run.phase {
            Phase::Done | Phase::Active => Exit::Done,
            Phase::Failed if halted => Exit::Halted,
            Phase::Failed | Phase::Rejected | Phase::Cancelled => Exit::Refused,
        }
        .into());
    }
}
