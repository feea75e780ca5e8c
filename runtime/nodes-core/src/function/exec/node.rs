//! The node's configuration, and what a message asks for.

use std::rc::{Rc, Weak};
use std::time::Duration;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Path, Value};

use super::running::Running;
use super::signal::TERMINATE;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("exec", build).denied_as("exec");

pub(super) struct Exec {
    me: Weak<Exec>,
    pub(super) cx: NodeCx,
    command: String,
    /// The message's property that is appended.
    property: Option<Path>,
    append: String,
    /// Output is sent as it comes, without a shell; otherwise all at the end.
    streams: bool,
    pub(super) time_limit: Option<Duration>,
    /// The return code is the payload itself: Node-RED before 0.17.
    pub(super) old_code: bool,
    pub(super) running: Running,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let own = cx.clone();
    let config = own.config();
    let property = match props::value(config, "addpay") {
        Value::Undefined | Value::Bool(true) => Some("payload".to_owned()),
        other if other.truthy() => Some(other.to_text().to_string()),
        _ => None,
    };
    let property = property.map(|path| Path::message(&path)).transpose();
    let timer = props::number(config, "timer");
    Ok(Rc::new_cyclic(|me| Exec {
        me: me.clone(),
        command: props::text(config, "command", "").trim().to_owned(),
        property: property.unwrap_or_default(),
        append: props::text(config, "append", "").trim().to_owned(),
        streams: config.str("useSpawn") == "true",
        time_limit: Some(flotilla_value::wait_seconds(timer)).filter(|time| !time.is_zero()),
        old_code: props::text(config, "oldrc", "false") != "false",
        running: Running::default(),
        cx,
    }))
}

impl Exec {
    fn line(&self, msg: &Msg) -> String {
        let mut line = self.command.clone();
        if let Some(property) = &self.property
            && let Ok(value) = msg.get_path(property)
            && !value.is_undefined()
        {
            line.push(' ');
            line.push_str(&value.to_text());
        }
        if !self.append.is_empty() {
            line.push(' ');
            line.push_str(&self.append);
        }
        line
    }

    /// `msg.kill` names a signal, `msg.pid` the process when there are several.
    fn kill(&self, msg: &Msg) {
        let signal = match msg.get("kill") {
            Value::String(name) if name.to_uppercase().starts_with("SIG") => name.to_uppercase(),
            _ => TERMINATE.to_owned(),
        };
        let pid = match msg.get("pid") {
            Value::Undefined => self.running.only(),
            pid => pid.to_text().parse().ok(),
        };
        match pid.map_or(Ok(false), |pid| self.running.kill(pid, &signal)) {
            Ok(true) => self.cx.report().show("red", "dot", "killed"),
            Ok(false) => {}
            Err(text) => return self.cx.report().error(text, Some(msg)),
        }
        self.cx.report().done(msg);
    }

    /// Ends the process when its time is over. Never done itself.
    pub(super) async fn time_limit(&self, pid: u32) {
        if let Some(limit) = self.time_limit {
            tokio::time::sleep(limit).await;
            // SIGTERM is always known where signals are.
            let _ = self.running.kill(pid, TERMINATE);
        }
        std::future::pending::<()>().await;
    }

    pub(super) fn show_pid(&self, pid: Option<u32>) {
        let pid = pid.map_or_else(|| "undefined".to_owned(), |pid| pid.to_string());
        self.cx.report().show("blue", "dot", format!("pid:{pid}"));
    }
}

impl Node for Exec {
    fn receive(&self, msg: Msg) {
        if msg.has("kill") {
            return self.kill(&msg);
        }
        let line = self.line(&msg);
        if line.trim().is_empty() {
            return self
                .cx
                .report()
                .error("there is no command to run: the node has none and the message adds none", Some(&msg));
        }
        let Some(node) = self.me.upgrade() else { return };
        if self.streams {
            self.cx.work().spawn(node.stream(msg, line));
        } else {
            self.cx.work().spawn(node.buffer(msg, line));
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.running.terminate();
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
