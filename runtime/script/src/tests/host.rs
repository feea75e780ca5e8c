//! The host that writes everything down.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::{FunctionScript, Script, ScriptHost, Source};
use flotilla_engine::context::{ContextRef, Contexts, ScopeKey};
use flotilla_engine::expression::Surroundings;
use flotilla_engine::message::Msg;
use flotilla_engine::observe::Level;
use flotilla_value::{Str, Value, parse_json, stringify};

struct Around(Arc<Contexts>);

impl Surroundings for Around {
    fn env(&self, name: &str) -> Option<Value> {
        (name == "PLACE").then(|| Value::from("here"))
    }
    fn context(&self, global: bool) -> ContextRef {
        self.0.scope(if global { ScopeKey::global() } else { ScopeKey::flow("tab") })
    }
}

pub(super) struct Host {
    pub(super) sent: RefCell<Vec<(usize, Msg)>>,
    pub(super) done: RefCell<Vec<Msg>>,
    pub(super) errors: RefCell<Vec<(Value, Option<Msg>)>>,
    pub(super) logs: RefCell<Vec<(Level, Value)>>,
    pub(super) statuses: RefCell<Vec<Value>>,
    /// What link in nodes got, with the ids of the calls.
    pub(super) called: RefCell<Vec<(Str, Msg)>>,
    pub(super) contexts: Arc<Contexts>,
    pub(super) limit: Cell<Duration>,
    pub(super) modules: RefCell<Option<PathBuf>>,
}

impl ScriptHost for Host {
    fn id(&self) -> Str {
        "n1".into()
    }
    fn name(&self) -> Str {
        "a name".into()
    }
    fn path(&self) -> Str {
        "tab/n1".into()
    }
    fn outputs(&self) -> usize {
        2
    }
    fn send(&self, msg: Msg) {
        self.sent.borrow_mut().push((0, msg));
    }
    fn send_outputs(&self, outputs: Vec<Vec<Msg>>) {
        for (port, msgs) in outputs.into_iter().enumerate() {
            self.sent.borrow_mut().extend(msgs.into_iter().map(|msg| (port, msg)));
        }
    }
    fn surroundings(&self) -> Rc<dyn Surroundings> {
        Rc::new(Around(self.contexts.clone()))
    }
    fn hears_done(&self) -> bool {
        true
    }
    fn done(&self, msg: &Msg) {
        self.done.borrow_mut().push(msg.clone());
    }
    fn error(&self, error: Value, msg: Option<&Msg>) {
        self.errors.borrow_mut().push((error, msg.cloned()));
    }
    fn link_call(&self, target: &Str, msg: Msg, call: &Str) -> Result<(), String> {
        if target == "nowhere" {
            return Err("target link-in node 'nowhere' not found".to_owned());
        }
        self.called.borrow_mut().push((call.clone(), msg));
        Ok(())
    }
    fn log(&self, level: Level, value: Value) {
        self.logs.borrow_mut().push((level, value));
    }
    fn status(&self, status: Value) {
        self.statuses.borrow_mut().push(status);
    }
    fn context(&self, scope: &str) -> Option<ContextRef> {
        let scope = match scope {
            "node" => ScopeKey::node("n1", "tab"),
            "flow" => ScopeKey::flow("tab"),
            "global" => ScopeKey::global(),
            _ => return None,
        };
        Some(self.contexts.scope(scope))
    }
    fn env(&self, name: &str) -> Option<Value> {
        (name == "PLACE").then(|| Value::from("here"))
    }
    fn setting(&self, name: &str) -> Option<Value> {
        (name == "functionGlobalContext").then(|| json(r#"{"seed":{"a":5}}"#))
    }
    fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        flotilla_engine::catalog::text(false, key, args)
    }
    fn node_modules(&self) -> Option<PathBuf> {
        self.modules.borrow().clone()
    }
    fn time_limit(&self) -> Option<Duration> {
        Some(self.limit.get())
    }
}

pub(super) fn json(text: &str) -> Value {
    parse_json(text.as_bytes()).unwrap()
}

pub(super) fn msg(text: &str) -> Msg {
    Msg::from_value(json(text), None)
}

pub(super) fn show(value: &Value) -> String {
    stringify(value).unwrap().unwrap_or_else(|| "undefined".to_owned())
}

pub(super) fn new_host() -> Rc<Host> {
    Rc::new(Host {
        sent: RefCell::default(),
        done: RefCell::default(),
        errors: RefCell::default(),
        logs: RefCell::default(),
        statuses: RefCell::default(),
        called: RefCell::default(),
        contexts: Arc::new(Contexts::default()),
        limit: Cell::new(Duration::from_secs(20)),
        modules: RefCell::default(),
    })
}

pub(super) fn with_host(host: &Rc<Host>, setup: &str, body: &str, cleanup: &str) -> Rc<FunctionScript> {
    let source = Source::new(body, setup, cleanup, Vec::new(), true);
    FunctionScript::new(Script::current().unwrap(), host.clone(), source).unwrap()
}

pub(super) fn function(body: &str) -> (Rc<FunctionScript>, Rc<Host>) {
    let host = new_host();
    (with_host(&host, "", body, ""), host)
}

/// Runs a body with a message; answers the payload of what it sent, as JSON.
pub(super) fn payload(body: &str, input: &str) -> String {
    let (code, host) = function(body);
    code.receive(msg(input));
    assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
    let sent = host.sent.borrow();
    let (_, last) = sent.last().expect("the function sends a message");
    show(&last.get("payload"))
}

/// Evaluates an expression; `String(...)` of what it gives.
pub(super) fn eval(expression: &str) -> String {
    let text = payload(&format!("msg.payload = String({expression}); return msg;"), "{}");
    json(&text).as_str().unwrap().to_owned()
}
