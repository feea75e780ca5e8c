//! The node: messages wait until On Start is done, then each calls the code.
//!
//! Source: Node-RED's `10-function.js`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_script::{BUILT_IN, FunctionScript, Lib, SANDBOX, Script, Source};

use super::cx_host::CxHost;

/// The table's row.
pub const TYPE: Stateless = Stateless::node("function", build);

/// Whether messages may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// On Start has not finished: messages wait.
    Starting,
    /// Messages run.
    Ready,
    /// On Start failed or the code does not compile: messages end here.
    Failed,
}

struct FunctionNode {
    cx: NodeCx,
    script: &'static Script,
    code: Option<Rc<FunctionScript>>,
    state: Rc<Cell<State>>,
    waiting: Rc<RefCell<VecDeque<Msg>>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let text = |name: &str| config.str(name).to_owned();
    let libs = libs(&cx)?;
    let allowed = cx.settings().node_red.get("functionExternalModules") != Some(&serde_json::Value::Bool(false));
    if !allowed && !libs.is_empty() {
        return Err(NodeError::absent(cx.text("function.error.externalModuleNotAllowed", &[])));
    }
    let timeout = config.num("timeout").filter(|seconds| *seconds > 0.0);
    let timeout = timeout.map(flotilla_value::wait_seconds);
    let source = Source::new(&text("func"), &text("initialize"), &text("finalize"), libs, allowed);
    let script = Script::current().map_err(|error| NodeError::new(error.to_string()))?;
    let host = Rc::new(CxHost::new(cx.clone(), timeout));
    let code = match FunctionScript::new(script, host, source) {
        Ok(code) => Some(code),
        Err(error) if cx.settings().catalogue_keys => {
            // Node-RED reports it when the node is up; its specs wait for the log.
            cx.report().error(error, None);
            None
        }
        Err(error) => return Err(NodeError::new(error.to_text())),
    };
    let state = if code.is_some() { State::Starting } else { State::Failed };
    Ok(Rc::new(FunctionNode { cx, script, code, state: Rc::new(Cell::new(state)), waiting: Rc::default() }))
}

/// The `libs` of the node; a variable that hides something of the sandbox is refused.
fn libs(cx: &NodeCx) -> Result<Vec<Lib>, NodeError> {
    let Some(serde_json::Value::Array(list)) = cx.config().get("libs") else { return Ok(Vec::new()) };
    let mut libs = Vec::new();
    for entry in list {
        let field = |name: &str| entry.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let (var, module) = (field("var"), field("module"));
        if var.is_empty() || module.is_empty() {
            continue;
        }
        let is_name = var.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
            && !var.starts_with(|c: char| c.is_ascii_digit());
        if !is_name || SANDBOX.contains(&var) || BUILT_IN.contains(&var) {
            cx.report().error(cx.text("function.error.moduleNameError", &[("name", var)]), None);
            return Err(NodeError::absent(cx.text("function.error.externalModuleLoadError", &[])));
        }
        libs.push(Lib { var: var.to_owned(), module: module.to_owned() });
    }
    Ok(libs)
}

impl FunctionNode {
    fn run(&self, code: &Rc<FunctionScript>, msg: Msg) {
        if !self.script.is_running() {
            code.receive(msg);
            return;
        }
        // Called from inside of a script, through a node that works inline: wait until that one is through.
        let code = code.clone();
        self.cx.work().spawn(async move { code.receive(msg) });
    }
}

impl Node for FunctionNode {
    fn receive(&self, msg: Msg) {
        match (self.state.get(), &self.code) {
            (State::Ready, Some(code)) => self.run(code, msg),
            (State::Starting, Some(_)) => self.waiting.borrow_mut().push_back(msg),
            _ => self.cx.report().refuse(&msg),
        }
    }

    fn start(&self) {
        let Some(code) = &self.code else { return };
        let (state, waiting, cx, own) = (self.state.clone(), self.waiting.clone(), self.cx.clone(), code.clone());
        code.start(move |result| match result {
            Ok(()) => {
                state.set(State::Ready);
                if waiting.borrow().is_empty() {
                    return;
                }
                // On its own turn: this may be called from inside of a script.
                cx.work().spawn(async move {
                    while let Some(msg) = { waiting.borrow_mut().pop_front() } {
                        own.receive(msg);
                    }
                });
            }
            Err(error) => {
                state.set(State::Failed);
                let why = format!("On Start failed: {}", error.to_text());
                cx.report().error(error, None);
                cx.report().broken(why);
                for msg in waiting.take() {
                    cx.report().refuse(&msg);
                }
            }
        });
    }

    fn take_return(&self, call: &str, msg: Msg) -> bool {
        let Some(code) = &self.code else { return false };
        if self.script.is_running() {
            // As in `run`.
            let (code, call) = (code.clone(), call.to_owned());
            self.cx.work().spawn(async move { code.take_return(&call, msg) });
        } else {
            code.take_return(call, msg);
        }
        true
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        for msg in self.waiting.borrow_mut().drain(..) {
            if let Some(delivery) = msg.delivery() {
                delivery.abandon();
            }
        }
        match &self.code {
            Some(code) => {
                let _unfinished = flotilla_engine::message::Abandoning::begin();
                code.close(removed)
            }
            None => Box::pin(std::future::ready(())),
        }
    }
}
