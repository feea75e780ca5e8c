//! `flotilla group set`: settings of one node in a group.

use std::collections::BTreeMap;
use std::process::ExitCode;

use flotilla_api::deploy::Deploy;
use flotilla_api::{Client, ClientError};

use crate::client;
use crate::deploy::refused;
use crate::exit::{Exit, Failure};
use crate::plain::print;

/// Shows or changes the settings of a node. A change is a new revision: it is rolled out, and a rollback takes it back.
pub(super) async fn run(
    client: &Client,
    group: &str,
    node: String,
    settings: &[String],
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let base = client.rollout(group).await?.revision;
    let mut nodes = client.revision(group, &base).await?.nodes;
    let mut next = nodes.remove(&node).unwrap_or_default();
    if settings.is_empty() {
        client::json(&next);
        return Ok(ExitCode::SUCCESS);
    }
    for setting in settings {
        next.set(setting).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    }
    let deploy = Deploy {
        base: Some(base),
        message: format!("settings of node {node}: {}", settings.join(", ")),
        set_nodes: BTreeMap::from([(node, next)]),
        ..Deploy::default()
    };
    match client.deploy(group, &deploy).await {
        Ok(begun) if as_json => client::json(&begun),
        Ok(begun) => {
            print(&format!("revision {}; the rollout has begun: see `flotilla rollout status`\n", begun.revision));
        }
        Err(ClientError::Refused(problem)) => return Ok(refused(problem, as_json)),
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}
