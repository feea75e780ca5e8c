//! What a function's code may ask of the node around it.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use flotilla_engine::context::ContextRef;
use flotilla_engine::expression::Surroundings;
use flotilla_engine::message::Msg;
use flotilla_engine::observe::Level;
use flotilla_value::{Str, Value};

/// The node around a function's code. The script engine knows nothing else of the runtime.
pub trait ScriptHost {
    /// The node's id.
    fn id(&self) -> Str;
    /// The node's name, or empty.
    fn name(&self) -> Str;
    /// Node-RED's path of the node.
    fn path(&self) -> Str;
    /// The number of outputs that the node is configured with.
    fn outputs(&self) -> usize;
    /// Sends one message out of the first output.
    fn send(&self, msg: Msg);
    /// Sends messages: the list for output 0, for output 1, ...
    fn send_outputs(&self, outputs: Vec<Vec<Msg>>);
    /// True when somebody looks at the message that [`ScriptHost::done`] is called with.
    fn hears_done(&self) -> bool;
    /// What JSONata expressions of the code see of the node.
    fn surroundings(&self) -> Rc<dyn Surroundings>;
    /// The node is through with a message.
    fn done(&self, msg: &Msg);
    /// Reports an error.
    fn error(&self, error: Value, msg: Option<&Msg>);
    /// Sends a message to a link in node, by id or name. What a link out node returns is given to
    /// [`FunctionScript::take_return`](super::FunctionScript::take_return), with this id of the call.
    ///
    /// # Errors
    /// Why there is nobody to call, for the script.
    fn link_call(&self, target: &Str, msg: Msg, call: &Str) -> Result<(), String>;
    /// Logs.
    fn log(&self, level: Level, value: Value);
    /// Shows a status.
    fn status(&self, status: Value);
    /// The context of `node`, `flow` or `global`; for a `flow` key that begins with `$parent.`, the flow around it.
    fn context(&self, scope: &str) -> Option<ContextRef>;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<Value>;
    /// A setting under Node-RED's name.
    fn setting(&self, name: &str) -> Option<Value>;
    /// A text of the catalogue.
    fn text(&self, key: &str, args: &[(&str, &str)]) -> String;
    /// Where npm modules are found, if the operator allows any.
    fn node_modules(&self) -> Option<PathBuf>;
    /// How long one run of the code may take; `None` for as long as it likes.
    fn time_limit(&self) -> Option<Duration>;
}
