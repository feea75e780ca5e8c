//! What a user directory gives to `up`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::files::{credentials_file, flow_file, made_secret};
use super::packages;
use super::settings::{ReadSettings, read_settings};
use crate::flow_args::FlowArgs;

/// A Node-RED user directory that was read. Nothing in it is changed.
#[derive(Debug)]
pub struct UserDir {
    /// The flow document.
    pub flows: PathBuf,
    /// Where its credentials are, their secret and the settings.
    pub flow: FlowArgs,
    /// `uiHost` and `uiPort`: where flows serve HTTP, if the settings say so.
    pub http: Option<SocketAddr>,
    /// `https`: with which certificate.
    pub https: Option<Map<String, Value>>,
    /// The broker of FlowFuse's project links, with user and password.
    pub project_broker: Option<String>,
    /// Where function nodes find npm modules.
    pub node_modules: Option<PathBuf>,
    /// Folders with context that Node-RED kept in files.
    pub context: Vec<PathBuf>,
    /// What the user should know, a line each.
    pub notes: Vec<String>,
}

impl UserDir {
    /// Reads the directory. What the command line gives (`flow`) wins over what is found.
    pub fn read(dir: &Path, flow: &FlowArgs) -> anyhow::Result<UserDir> {
        let mut flow = flow.clone();
        let script = dir.join("settings.js");
        let file = flow.settings.take().or_else(|| script.is_file().then_some(script));
        let read = file.as_deref().map(|file| read_settings(file, &flow.without_setting)).transpose()?;
        let given = read.is_some();
        let ReadSettings { revision, start, project_broker, mut notes } = read.unwrap_or_default();
        let flows = flow_file(dir, start.get("flowFile"))?;
        if flow.credentials.is_none() {
            flow.credentials = credentials_file(&flows);
        }
        if flow.credential_secret.is_none() {
            flow.credential_secret = match start.get("credentialSecret") {
                Some(Value::String(secret)) => Some(secret.clone()),
                _ => made_secret(dir)?,
            };
        }
        if start.get("logging").is_some_and(|logging| !is_default_logging(logging)) {
            notes.push("the setting logging has no effect: see --log-format, and RUST_LOG for the levels".to_owned());
        }
        let text = std::fs::read_to_string(&flows).with_context(|| format!("cannot read {}", flows.display()))?;
        // What is no document is reported where the document is read.
        let document = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        for (package, nodes) in packages::missing(dir, &document)? {
            notes.push(match nodes {
                0 => format!("the npm nodes of {package} do not run here; the flow does not use them"),
                1 => format!("the npm nodes of {package} do not run here, and 1 node of the flow needs them"),
                _ => format!("the npm nodes of {package} do not run here, and {nodes} nodes of the flow need them"),
            });
        }
        let modules = dir.join("node_modules");
        Ok(UserDir {
            http: http(&start)?,
            https: https(&start)?,
            project_broker,
            node_modules: modules.is_dir().then_some(modules),
            context: contexts(dir, &revision),
            flows,
            flow: FlowArgs { found_settings: given.then_some(revision), ..flow },
            notes,
        })
    }
}

/// `uiHost` and `uiPort`. Node-RED listens on all addresses when no host is set; here that has to be said.
fn http(start: &Map<String, Value>) -> anyhow::Result<Option<SocketAddr>> {
    let port = match start.get("uiPort") {
        None => 1880,
        Some(Value::Number(port)) => port.as_u64().unwrap_or(u64::MAX),
        Some(Value::String(port)) => port.trim().parse().unwrap_or(u64::MAX),
        Some(other) => bail!("uiPort is {other}: it must be a port number"),
    };
    let port =
        u16::try_from(port).ok().with_context(|| format!("uiPort is {}: it must be a port number", start["uiPort"]))?;
    let host = start.get("uiHost").and_then(Value::as_str).filter(|host| !host.is_empty()).unwrap_or("127.0.0.1");
    if !start.contains_key("uiPort") && !start.contains_key("uiHost") {
        return Ok(None);
    }
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    crate::address::resolve(&address).map(Some).map_err(|error| anyhow::anyhow!("uiHost and uiPort: {error}"))
}

/// `https`, if the settings have it.
fn https(start: &Map<String, Value>) -> anyhow::Result<Option<Map<String, Value>>> {
    match start.get("https") {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Object(https)) => Ok(Some(https.clone())),
        Some(other) => bail!("https is {other}: it must be an object with key and cert"),
    }
}

/// Node-RED's own settings.js sets the console to `info`.
fn is_default_logging(logging: &Value) -> bool {
    let console = logging.get("console");
    logging.as_object().is_some_and(|all| all.len() <= 1)
        && console.and_then(|console| console.get("level")).is_none_or(|level| level == "info")
}

/// Where `localfilesystem` keeps context: `DIR/context` unless its `config` says otherwise.
fn contexts(dir: &Path, settings: &Map<String, Value>) -> Vec<PathBuf> {
    let Some(Value::Object(stores)) = settings.get("contextStorage") else { return Vec::new() };
    let mut folders = Vec::new();
    for store in stores.values().filter(|store| store["module"] == "localfilesystem") {
        let config = |name: &str| store["config"][name].as_str();
        let base = config("base").unwrap_or("context");
        let folder = match config("dir") {
            Some(at) => dir.join(at).join(base),
            None => dir.join(base),
        };
        if folder.is_dir() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_directory_is_read_as_node_red_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let at = |name: &str| dir.join(name);
        std::fs::write(at("flows.json"), "[]").unwrap();
        std::fs::write(at("flows_cred.json"), "{}").unwrap();
        std::fs::write(at(".config.runtime.json"), r#"{"_credentialSecret": "made"}"#).unwrap();
        std::fs::create_dir_all(at("context/global")).unwrap();
        let source = "module.exports = {flowFile: 'flows.json', uiPort: '1890', httpRoot: '/r', httpStatic: 'public', \
                      contextStorage: {default: {module: 'localfilesystem'}}, editorTheme: {}, \
                      logging: {console: {level: 'info', metrics: false, audit: false}}};";
        std::fs::write(at("settings.js"), source).unwrap();
        let none = FlowArgs::default();
        let found = UserDir::read(dir, &none).unwrap();
        assert!(
            found.flows.ends_with("flows.json")
                && found.flow.credentials.as_ref().unwrap().ends_with("flows_cred.json")
        );
        assert_eq!(found.flow.credential_secret.as_deref(), Some("made"));
        assert_eq!(found.http, Some("127.0.0.1:1890".parse().unwrap()));
        assert_eq!(found.context, [at("context")]);
        let settings = found.flow.found_settings.as_ref().unwrap();
        assert_eq!(settings["httpNodeRoot"], "/r");
        assert_eq!(settings["httpStatic"], json!(at("public")));
        assert_eq!(found.notes, ["the setting editorTheme has no effect: it is about the editor"]);
        std::fs::write(at("settings.js"), "module.exports = {uiPort: 'x'};").unwrap();
        assert!(UserDir::read(dir, &none).unwrap_err().to_string().contains("uiPort"));
        std::fs::write(at("settings.js"), "module.exports = {https: {key: 'k', cert: 'c'}};").unwrap();
        assert_eq!(UserDir::read(dir, &none).unwrap().https.unwrap()["key"], "k");
        std::fs::write(at("settings.js"), "module.exports = {https: () => ({})};").unwrap();
        assert!(UserDir::read(dir, &none).unwrap_err().to_string().contains("https"), "it protects");
    }
}
