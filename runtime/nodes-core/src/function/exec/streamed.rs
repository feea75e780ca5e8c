//! A program whose output is sent as it comes.

use std::cell::RefCell;
use std::io::Error;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::io_code;
use flotilla_engine::message::Msg;
use flotilla_value::{Object, Value};

use super::node::Exec;
use super::{command, output, signal};

/// What Node.js reads at a time.
const CHUNK: usize = 64 * 1024;

/// Node.js's return code of a program that could not be started: the negative number of the error.
fn spawn_code(error: &Error) -> i32 {
    error.raw_os_error().map_or(-1, |number| -number)
}

impl Exec {
    pub(super) async fn stream(self: Rc<Self>, msg: Msg, line: String) {
        let cx = &self.cx;
        let mut words = command::words(&line).into_iter();
        let (name, arguments) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        cx.report().debug(format!("{name} [{}]", arguments.join(",")));
        let msg = RefCell::new(msg);
        let mut child = match command::program(&name, &arguments, &cx.settings()).spawn() {
            Ok(child) => child,
            Err(error) => {
                cx.report().debug(format!("spawn {name} {}", io_code(&error)));
                self.show_pid(None);
                return self.ended(msg.into_inner(), Some(spawn_code(&error)), None);
            }
        };
        let pid = child.id().unwrap_or_default();
        self.running.add(pid);
        self.show_pid(Some(pid));
        let (_input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let waited = async {
            let status = child.wait().await;
            self.running.remove(pid);
            status
        };
        let work = async { tokio::join!(waited, self.pass_on(out, 0, &msg), self.pass_on(err, 1, &msg)).0 };
        let status = tokio::select! {
            status = work => status,
            () = self.time_limit(pid) => return,
        };
        match status {
            Ok(status) => self.ended(msg.into_inner(), status.code(), signal::of(status)),
            Err(error) => self.cx.report().error(error.to_string(), Some(&msg.into_inner())),
        }
    }

    /// Sends each chunk of an output; characters are not cut.
    async fn pass_on(&self, pipe: Option<impl AsyncRead + Unpin>, port: usize, msg: &RefCell<Msg>) {
        let Some(mut pipe) = pipe else { return };
        let (mut held, mut buffer) = (Vec::new(), vec![0; CHUNK]);
        loop {
            let count = pipe.read(&mut buffer).await.unwrap_or(0);
            held.extend_from_slice(&buffer[..count]);
            let end = if count == 0 { held.len() } else { output::whole(&held) };
            if end > 0 {
                let rest = held.split_off(end);
                let chunk = std::mem::replace(&mut held, rest);
                msg.borrow_mut().set("payload", output::payload(chunk));
                let sent = msg.borrow().clone();
                let mut outputs = vec![Vec::new(), Vec::new(), Vec::new()];
                outputs[port].push(sent);
                self.cx.out().send_all(outputs);
            }
            if count == 0 {
                return;
            }
        }
    }

    fn ended(&self, mut msg: Msg, code: Option<i32>, signal: Option<String>) {
        let number = code.map_or(Value::Null, |code| Value::from(f64::from(code)));
        let mut payload = number.clone();
        if !self.old_code {
            let mut object: Object = [("code", number)].into_iter().collect();
            if let Some(signal) = signal {
                object.insert("signal", signal);
            }
            payload = object.into();
        }
        msg.set("payload", payload);
        // Node-RED shows 0 as nothing and then as "rc:0"; the last word stays.
        match code {
            None => self.cx.report().show("red", "dot", "killed"),
            Some(code) if code < 0 => self.cx.report().show("red", "dot", format!("rc:{code}")),
            Some(code) => {
                if code == 0 {
                    self.cx.report().status(Object::new());
                }
                self.cx.report().show("yellow", "dot", format!("rc:{code}"));
            }
        }
        self.cx.out().send_all(vec![Vec::new(), Vec::new(), vec![msg.clone()]]);
        self.cx.report().done(&msg);
    }
}
