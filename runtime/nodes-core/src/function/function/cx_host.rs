//! What scripts ask of their node, answered by the engine.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use flotilla_engine::NodeCx;
use flotilla_engine::context::ContextRef;
use flotilla_engine::expression::Surroundings;
use flotilla_engine::message::Msg;
use flotilla_engine::observe::Level;
use flotilla_script::ScriptHost;
use flotilla_value::{Str, Value, from_json};

/// How long a run may take when neither the node nor the setting `globalFunctionTimeout` says. Node-RED has no bound: an
/// endless loop stops it. A setting of 0 takes the bound away here too.
const GUARD: Duration = Duration::from_secs(30);

/// A function node's handle to the engine, as scripts see it.
pub(super) struct CxHost {
    cx: NodeCx,
    limit: Option<Duration>,
}

impl CxHost {
    /// With the node's own `timeout`, if it has one.
    pub(super) fn new(cx: NodeCx, timeout: Option<Duration>) -> CxHost {
        let limit = timeout.or_else(|| match cx.settings().number("globalFunctionTimeout") {
            None => Some(GUARD),
            Some(seconds) => Some(flotilla_value::wait_seconds(seconds)).filter(|limit| !limit.is_zero()),
        });
        cx.shared().health().allow_script(limit);
        CxHost { cx, limit }
    }
}

impl ScriptHost for CxHost {
    fn id(&self) -> Str {
        self.cx.id().clone()
    }

    fn name(&self) -> Str {
        self.cx.name().clone()
    }

    fn path(&self) -> Str {
        self.cx.path().clone()
    }

    fn outputs(&self) -> usize {
        self.cx.config().num("outputs").map_or_else(|| self.cx.config().wires.len(), |outputs| outputs as usize)
    }

    fn send(&self, msg: Msg) {
        self.cx.out().send(msg);
    }

    fn send_outputs(&self, outputs: Vec<Vec<Msg>>) {
        self.cx.out().send_all(outputs);
    }

    fn surroundings(&self) -> Rc<dyn Surroundings> {
        Rc::new(self.cx.clone())
    }

    fn hears_done(&self) -> bool {
        self.cx.report().has_complete()
    }

    fn done(&self, msg: &Msg) {
        self.cx.report().done(msg);
    }

    fn error(&self, error: Value, msg: Option<&Msg>) {
        self.cx.report().error(error, msg);
    }

    fn link_call(&self, target: &Str, msg: Msg, call: &Str) -> Result<(), String> {
        crate::common::link::call(&self.cx, target, msg, call)
    }

    fn log(&self, level: Level, value: Value) {
        match level {
            Level::Warn => self.cx.report().warn(value),
            Level::Debug => self.cx.report().debug(value),
            Level::Trace => self.cx.report().trace(value),
            _ => self.cx.report().log(value),
        }
    }

    fn status(&self, status: Value) {
        self.cx.report().status(status);
    }

    fn context(&self, scope: &str) -> Option<ContextRef> {
        match scope {
            "node" => Some(self.cx.contexts().own()),
            "flow" => Some(self.cx.contexts().flow()),
            "global" => Some(self.cx.contexts().global()),
            "$parent" => self.cx.contexts().parent_flow(),
            _ => None,
        }
    }

    fn env(&self, name: &str) -> Option<Value> {
        self.cx.env(name)
    }

    fn setting(&self, name: &str) -> Option<Value> {
        self.cx.settings().node_red.get(name).map(from_json)
    }

    fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        self.cx.text(key, args)
    }

    fn node_modules(&self) -> Option<PathBuf> {
        self.cx.settings().node_modules.clone()
    }

    fn time_limit(&self) -> Option<Duration> {
        self.limit
    }
}
