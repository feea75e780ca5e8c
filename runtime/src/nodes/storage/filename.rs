//! The file name of a node: a typed input.

use std::path::PathBuf;

use crate::engine::{NodeCx, NodeError};
use crate::message::Msg;
use crate::nodes::props;
use crate::value::{Path, Value};

/// Where the file name comes from.
pub(super) enum Filename {
    /// The same for every message.
    Text(String),
    /// An environment variable, or a text with `${...}` in it.
    Env(String),
    /// A property of the message.
    Property(Path),
}

impl Filename {
    /// Reads `filename` and `filenameType`; flows older than Node-RED 3 have only the first, empty for `msg.filename`.
    pub(super) fn new(cx: &NodeCx) -> Result<Filename, NodeError> {
        let config = cx.config();
        let name = props::text(config, "filename", "");
        let kind = props::text(config, "filenameType", if name.is_empty() { "msg" } else { "str" });
        let path = |text: &str| Path::message(text).map_err(|error| NodeError::new(error.to_string()));
        match kind.as_str() {
            "msg" => Ok(Filename::Property(path(if name.is_empty() { "filename" } else { &name })?)),
            "env" => Ok(Filename::Env(name)),
            "jsonata" => Err(NodeError::new(format!("JSONata cannot be used for the file name yet: {name}"))),
            _ => Ok(Filename::Text(name)),
        }
    }

    /// True when every message goes to the same file.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self, Filename::Text(_) | Filename::Env(_))
    }

    /// The name for this message; empty when there is none.
    pub(super) fn of(&self, msg: &Msg, cx: &NodeCx) -> Result<String, String> {
        let value = match self {
            Filename::Text(name) => return Ok(name.clone()),
            Filename::Env(name) => return Ok(env_text(name, cx)),
            Filename::Property(path) => msg.get_path(path).map_err(|error| error.to_string())?,
        };
        Ok(if value.is_nullish() { String::new() } else { value.to_text().to_string() })
    }
}

/// A variable by its name, or a text whose `${...}` are filled in.
fn env_text(text: &str, cx: &NodeCx) -> String {
    let lookup = |name: &str| cx.env(name).map(|value: Value| value.to_text().to_string()).unwrap_or_default();
    if !text.contains("${") {
        return lookup(text);
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        out.push_str(&lookup(name));
        rest = tail;
    }
    out + rest
}

/// Where the file is: relative names are under the setting `fileWorkingDirectory`, if there is one.
pub(super) fn resolve(name: &str, cx: &NodeCx) -> PathBuf {
    let settings = cx.settings();
    match settings.node_red.get("fileWorkingDirectory").and_then(serde_json::Value::as_str) {
        Some(folder) if !folder.is_empty() && !std::path::Path::new(name).is_absolute() => {
            PathBuf::from(folder).join(name)
        }
        _ => PathBuf::from(name),
    }
}
