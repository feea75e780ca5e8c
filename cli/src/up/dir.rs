//! `flotilla up DIR`: what the user directory gives; the command line wins.

use std::sync::Arc;

use flotilla_flows::SPLIT_MANIFEST;
use flotilla_store::Store;

use super::args::UpArgs;
use crate::exit::{Exit, Failure};
use crate::user_dir::{self, UserDir};

/// Reads the directory that `up` was given, if it is one.
pub(super) fn open(mut args: UpArgs) -> anyhow::Result<(UpArgs, Option<UserDir>)> {
    // A folder that `flotilla flows split` wrote is a flow document.
    if !args.flows.is_dir() || args.flows.join(SPLIT_MANIFEST).is_file() {
        return Ok((args, None));
    }
    let found =
        UserDir::read(&args.flows, &args.flow).map_err(|error| Failure::new(Exit::Usage, format!("{error:#}")))?;
    args.dir = Some(std::mem::replace(&mut args.flows, found.flows.clone()));
    args.flow = found.flow.clone();
    args.http = args.http.or(found.http);
    args.https.clone_from(&found.https);
    args.engine.project_broker = args.engine.project_broker.or_else(|| found.project_broker.clone());
    args.engine.node_modules = args.engine.node_modules.or_else(|| found.node_modules.clone());
    Ok((args, Some(found)))
}

/// What the user should know of the directory. Imports its context first, once.
pub(super) async fn notes(dir: Option<UserDir>, store: &Arc<dyn Store>, group: &str) -> anyhow::Result<Vec<String>> {
    let Some(dir) = dir else { return Ok(Vec::new()) };
    let mut notes = dir.notes;
    if let Some(keys) = user_dir::import(store, group, &dir.context).await? {
        notes.push(format!(
            "{keys} keys of file context were copied into the group's shared context; the files stay as they are"
        ));
    }
    Ok(notes)
}
