//! A FlowFuse snapshot as a deploy.

use flotilla_api::deploy::Deploy;
use flotilla_flows::{FlowFuseSnapshot, is_flowfuse};
use serde_json::json;

use crate::exit::{Exit, Failure};

/// What a deploy has to say of the packages of a snapshot.
pub(super) struct Taken {
    /// The deploy with what the snapshot has.
    pub(super) deploy: Deploy,
    /// npm packages that the snapshot names, with their versions; Node-RED is not among them.
    pub(super) modules: Vec<String>,
}

/// Takes a snapshot apart: its flows, credentials and supported settings, its variables, and its hidden variables as
/// secrets of the group. Any other document stays as it is.
///
/// # Errors
/// [`Failure`] with [`Exit::Usage`] for a snapshot that cannot be read.
pub(super) fn take(deploy: Deploy) -> Result<Taken, Failure> {
    if !is_flowfuse(&deploy.flows) {
        return Ok(Taken { deploy, modules: Vec::new() });
    }
    let secret = deploy.credential_secret.as_deref();
    let snapshot = FlowFuseSnapshot::read(&deploy.flows, secret).map_err(|error| {
        let hint = if secret.is_none() { ": give the secret of the export as --credential-secret" } else { "" };
        Failure::new(Exit::Usage, format!("{error}{hint}"))
    })?;
    let translated = snapshot.translated();
    let mut deploy = Deploy { flows: snapshot.flows, ..deploy };
    if deploy.credentials.is_null() && !snapshot.credentials.is_empty() {
        // In plain: the gateway encrypts them with the group's key.
        deploy.credentials = json!(snapshot.credentials);
        deploy.credential_secret = None;
    }
    for (name, var) in snapshot.env {
        let vars = if var.hidden { &mut deploy.set_secrets } else { &mut deploy.set_env };
        vars.entry(name).or_insert(var.value);
    }
    if let Some(zone) = translated.zone {
        deploy.set_env.entry("TZ".to_owned()).or_insert(zone);
    }
    for (name, value) in translated.settings {
        deploy.set_settings.entry(name).or_insert(value);
    }
    if deploy.message.is_empty() {
        let more = if snapshot.description.is_empty() { "" } else { ": " };
        deploy.message = format!("{}{more}{}", snapshot.name, snapshot.description);
    }
    let theirs = snapshot.modules.into_iter().filter(|(name, _)| name != "node-red");
    Ok(Taken { deploy, modules: theirs.map(|(name, version)| format!("{name} {version}")).collect() })
}
