//! The file name of a node: a typed input.

use std::path::PathBuf;

use flotilla_engine::expression::Typed;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_value::Value;

/// Where the file name comes from.
pub(super) struct Filename {
    input: Typed,
    fixed: bool,
}

impl Filename {
    /// Reads `filename` and `filenameType`; flows older than Node-RED 3 have only the first, empty for `msg.filename`.
    pub(super) fn new(cx: &NodeCx) -> Result<Filename, NodeError> {
        let config = cx.config();
        let name = props::text(config, "filename", "");
        let kind = props::text(config, "filenameType", if name.is_empty() { "msg" } else { "str" });
        let name = if name.is_empty() && kind == "msg" { "filename".to_owned() } else { name };
        let input = Typed::prepare(&kind, &Value::from(name)).map_err(|error| NodeError::new(error.to_text()))?;
        Ok(Filename { input, fixed: matches!(kind.as_str(), "str" | "env") })
    }

    /// True when every message goes to the same file.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// The name for this message; empty when there is none.
    pub(super) fn of(&self, msg: &Msg, cx: &NodeCx) -> Result<String, String> {
        let value = self.input.evaluate(cx, &msg.value()).map_err(|error| error.to_text())?;
        Ok(if value.is_nullish() { String::new() } else { value.to_text().to_string() })
    }
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
