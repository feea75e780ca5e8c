//! A snapshot as files for others.

use std::collections::BTreeMap;

use flotilla_api::Problem;
use flotilla_api::snapshot::{Export, Snapshot};
use flotilla_flows::{Document, FlowFuseSnapshot, FlowFuseVar, NodeCredentials, encrypt_credentials, npm_package};
use flotilla_group::revision::Revision;
use serde_json::{Value, json};

use super::api::Api;
use super::problem::Failure;

/// What of Node-RED the flows are for.
const NODE_RED: &str = "^4.0.0";
/// Where Node-RED's settings take the secret of the credentials from.
const SECRET: &str = "NODE_RED_CREDENTIAL_SECRET";

/// Contents by file name.
type Files = BTreeMap<String, Value>;

/// The flow document alone.
pub(super) fn flows(revision: &Revision) -> Files {
    Files::from([("-".to_owned(), entries(revision))])
}

/// FlowFuse's snapshot.
pub(super) async fn flowfuse(
    api: &Api,
    group: &str,
    snapshot: &Snapshot,
    revision: &Revision,
    export: &Export,
) -> Result<Files, Failure> {
    let credentials = credentials(api, revision, export).await?;
    let var = |(name, value): (&String, &String)| (name.clone(), FlowFuseVar { value: value.clone(), hidden: false });
    let mut env: BTreeMap<String, FlowFuseVar> = revision.env.iter().map(var).collect();
    if export.secrets {
        secret_of(export, "the group's secrets")?;
        let secrets = api.secrets(group)?.values(api.key().await?.as_deref()).await?;
        env.extend(secrets.into_iter().map(|(name, value)| (name, FlowFuseVar { value, hidden: true })));
    }
    let mut file = FlowFuseSnapshot {
        id: snapshot.id.to_string(),
        name: snapshot.name.clone(),
        description: snapshot.description.clone(),
        created_at: rfc3339(snapshot.time_ms),
        user: snapshot.actor.clone(),
        flows: entries(revision),
        credentials,
        env,
        modules: modules(revision),
        settings: serde_json::Map::new(),
    };
    file.take_settings(&revision.settings);
    Ok(Files::from([("-".to_owned(), file.write(export.credential_secret.as_deref().unwrap_or_default()))]))
}

/// A user directory of Node-RED.
pub(super) async fn userdir(api: &Api, revision: &Revision, export: &Export) -> Result<Files, Failure> {
    let credentials = credentials(api, revision, export).await?;
    let mut files = Files::from([("flows.json".to_owned(), entries(revision))]);
    if !credentials.is_empty() {
        let secret = export.credential_secret.as_deref().unwrap_or_default();
        files.insert("flows_cred.json".to_owned(), encrypt_credentials(&credentials, secret));
    }
    let dependencies: BTreeMap<String, String> =
        modules(revision).into_iter().filter(|(name, _)| name != "node-red").collect();
    let package =
        json!({"name": "node-red-project", "private": true, "version": "0.0.1", "dependencies": dependencies});
    files.insert("package.json".to_owned(), package);
    let mut settings = revision.settings.clone();
    settings.insert("flowFile".to_owned(), "flows.json".into());
    let text = format!(
        "// Made by Flotilla. The credentials are encrypted with {SECRET}.\n\
         module.exports = Object.assign({settings:#}, {{ credentialSecret: process.env.{SECRET} }});\n",
        settings = Value::Object(settings)
    );
    files.insert("settings.js".to_owned(), text.into());
    if !revision.env.is_empty() {
        let line = |(name, value): (&String, &String)| match value.contains(['\n', '"', '\'', '#', '\\', ' ']) {
            true => format!("{name}={}\n", Value::from(value.as_str())),
            false => format!("{name}={value}\n"),
        };
        files.insert("environment".to_owned(), revision.env.iter().map(line).collect::<String>().into());
    }
    Ok(files)
}

fn entries(revision: &Revision) -> Value {
    Document::from_value(revision.flows.clone()).map_or_else(|_| revision.flows.clone(), |found| found.to_value())
}

/// The credentials that go along.
async fn credentials(api: &Api, revision: &Revision, export: &Export) -> Result<NodeCredentials, Failure> {
    if export.without_credentials || !revision.credentials.is_object() {
        return Ok(NodeCredentials::new());
    }
    secret_of(export, "credentials")?;
    Ok(revision.credentials_with(api.key().await?.as_deref())?)
}

fn secret_of<'a>(export: &'a Export, what: &str) -> Result<&'a str, Failure> {
    export.credential_secret.as_deref().filter(|secret| !secret.is_empty()).ok_or_else(|| {
        let detail = format!(
            "{what} leave only encrypted: give credential_secret (--credential-secret), or leave them out \
             (--no-credentials)"
        );
        Problem::new(400, "no_secret", detail).of_field("credential_secret").into()
    })
}

/// The npm packages that the document needs besides Node-RED.
fn modules(revision: &Revision) -> BTreeMap<String, String> {
    let document = Document::from_value(revision.flows.clone()).unwrap_or_default();
    let packages = document.entries().iter().filter_map(|entry| npm_package(&entry.kind));
    let mut modules: BTreeMap<String, String> = packages.map(|name| (name.to_owned(), "*".to_owned())).collect();
    modules.insert("node-red".to_owned(), NODE_RED.to_owned());
    modules
}

fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}
