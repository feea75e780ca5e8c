//! What the group is to run when `up` starts: what it ran before, unless the user wants the file's flow.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use flotilla_flows::{BadNodeSetting, NodeSettings, read_credentials};
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::Registry;
use flotilla_group::revision::{Revision, RevisionChange, Revisions};
use flotilla_group::rollout::Rules;
use flotilla_store::Store;

use super::args::UpArgs;
use super::deployed::Deployed;
use crate::exit::{Exit, Failure};

/// How long a rollout without replicas may take to end.
const ENDS: Duration = Duration::from_secs(10);

/// What the group runs now.
pub(super) struct Begun {
    /// The revision's id.
    pub(super) id: String,
    /// Its content.
    pub(super) revision: Revision,
    /// What the user should know about the file, if it is not what runs.
    pub(super) note: Option<String>,
}

/// Sees to what the group runs. `given` is what the files on the command line say.
pub(super) async fn begin(store: &Arc<dyn Store>, args: &UpArgs, given: Revision, key: &str) -> anyhow::Result<Begun> {
    let group = &args.engine.group;
    let (desired, revisions) = (DesiredStates::new(store.clone(), group)?, Revisions::new(store.clone(), group)?);
    let change = change(args, given)?;
    let deployed = Deployed::new(&args.data, group, &change, key);
    let Some((state, _)) = desired.load().await? else {
        let first = change.of(Revision::default(), Some(key))?;
        let id = revisions.record(&first, "up").await?;
        desired.begin(&id, None, &Rules::default(), "first start", "up").await?;
        deployed.keep();
        return Ok(Begun { id, revision: first, note: None });
    };
    let goal = state.goal().to_owned();
    let runs = revisions.load(&goal).await?;
    let mut wanted = change.of(runs.clone(), Some(key))?;
    wanted.message.clone_from(&runs.message);
    let wanted_id = wanted.id();
    if wanted_id == goal {
        deployed.keep();
        return Ok(Begun { id: goal, revision: runs, note: None });
    }
    let same_file = deployed.is_kept();
    if !args.deploy && (same_file || !agrees(args.given(), group)) {
        let note = (!same_file).then(|| {
            let file = args.given().display();
            // A deploy of the file alone would leave out what else the directory has.
            let now = if args.dir.is_some() { String::new() } else { format!(", or now: flotilla deploy {file}") };
            format!(
                "{file} differs from what group \"{group}\" runs (revision {goal}), and was not deployed.\n\
                 To deploy it: flotilla up {file} --deploy{now}\n"
            )
        });
        return Ok(Begun { id: goal, revision: runs, note });
    }
    if state.active().is_some() {
        bail!(
            "a rollout of group \"{group}\" was running when `up` stopped: start without --deploy, and deploy when it has ended"
        );
    }
    wanted.message = format!("{} at the start of up", args.given().display());
    let id = revisions.record(&wanted, "up").await?;
    until_gone(store, group).await?;
    // Nobody runs yet, so that nobody has to stay ready.
    let rules = Rules { min_available: None, ..Rules::default() };
    desired.begin(&id, Some(&goal), &rules, &wanted.message, "up").await?;
    until_ended(&desired).await?;
    deployed.keep();
    Ok(Begun { id, revision: wanted, note: None })
}

/// What the command line changes of a revision.
fn change(args: &UpArgs, given: Revision) -> anyhow::Result<RevisionChange> {
    let credentials = given
        .credentials
        .is_object()
        .then(|| read_credentials(&given.credentials, args.flow.credential_secret.as_deref()));
    let mut set_nodes: BTreeMap<String, NodeSettings> = BTreeMap::new();
    for pair in &args.broker {
        let (node, address) = crate::deploy::split("--broker", pair)?;
        let bad = |error: BadNodeSetting| Failure::new(Exit::Usage, format!("--broker {pair}: {}", error.reason));
        set_nodes.entry(node).or_default().set(&format!("broker={address}")).map_err(bad)?;
    }
    if let Some(unknown) = set_nodes.keys().find(|id| !is_broker(&given, id)) {
        let message =
            format!("--broker {unknown}=...: {} has no mqtt-broker node with this id", args.given().display());
        return Err(Failure::new(Exit::Usage, message).into());
    }
    Ok(RevisionChange {
        flows: Some(given.flows),
        replace_env: args.flow.env_file.is_some().then_some(given.env),
        replace_settings: args.flow.gives_settings().then(|| given.settings.clone()),
        set_settings: given.settings,
        replace_credentials: credentials.transpose().context("the credentials cannot be read")?,
        set_nodes,
        ..RevisionChange::default()
    })
}

fn is_broker(given: &Revision, id: &str) -> bool {
    let nodes = given.flows.as_array().or_else(|| given.flows.get("flows")?.as_array());
    nodes.into_iter().flatten().any(|node| node["id"] == id && node["type"] == "mqtt-broker")
}

/// Asks at a terminal; elsewhere the answer is no.
fn agrees(flows: &Path, group: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    eprint!("{} differs from what group \"{group}\" runs. Deploy it? [y/N] ", flows.display());
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Waits until the replicas of an `up` that was killed have ended: a rollout would count with them.
async fn until_gone(store: &Arc<dyn Store>, group: &str) -> anyhow::Result<()> {
    let registry = Registry::new(store.clone(), group)?;
    let deadline = Instant::now() + ENDS;
    while !registry.list().await?.is_empty() {
        anyhow::ensure!(Instant::now() < deadline, "replicas of group \"{group}\" still run: see `flotilla status`");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Waits until the gateway has ended a rollout in which no replica has to move.
async fn until_ended(desired: &DesiredStates) -> anyhow::Result<()> {
    let deadline = Instant::now() + ENDS;
    loop {
        let active = desired.load().await?.is_some_and(|(state, _)| state.active().is_some());
        if !active {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "the rollout did not end: see `flotilla rollout status`");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
