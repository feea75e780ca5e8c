//! A command in a shell whose output is sent when it has ended.

use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

use crate::io_code;
use flotilla_engine::message::Msg;
use flotilla_value::{Object, Value};

use super::node::Exec;
use super::signal::TERMINATE;
use super::{command, output, signal};

/// Bytes of each output that are kept; setting `execMaxBufferSize`.
const MAX_OUTPUT: usize = 10_000_000;

/// Why a command failed: `msg.payload` of the third output.
struct Failure {
    code: Value,
    message: String,
    signal: Option<String>,
}

impl Failure {
    fn value(self) -> Value {
        let mut failure = Object::with_capacity(3);
        failure.insert("code", self.code);
        failure.insert("message", self.message);
        if let Some(signal) = self.signal {
            failure.insert("signal", signal);
        }
        failure.into()
    }
}

/// Reads to the end, or to the bound; true when there was more.
async fn read(pipe: Option<impl AsyncRead + Unpin>, max: usize, too_much: &CancellationToken) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return (bytes, false) };
    // What was read before an error counts.
    let _ = pipe.take(max as u64 + 1).read_to_end(&mut bytes).await;
    let over = bytes.len() > max;
    if over {
        bytes.truncate(max);
        too_much.cancel();
    }
    (bytes, over)
}

impl Exec {
    pub(super) async fn buffer(self: Rc<Self>, msg: Msg, line: String) {
        let cx = &self.cx;
        let settings = cx.settings();
        cx.report().debug(line.as_str());
        let mut child = match command::shell(&line, &settings).spawn() {
            Ok(child) => child,
            Err(error) => {
                let code = io_code(&error);
                let failure =
                    Failure { code: code.into(), message: format!("spawn /bin/sh {code}: {error}"), signal: None };
                return self.finish(msg, Vec::new(), Vec::new(), Some(failure));
            }
        };
        let pid = child.id().unwrap_or_default();
        self.running.add(pid);
        self.show_pid(Some(pid));
        let max = settings.number("execMaxBufferSize").filter(|max| *max >= 1.0).map_or(MAX_OUTPUT, |max| max as usize);
        let (_input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let too_much = CancellationToken::new();
        let waited = async {
            let status = child.wait().await;
            self.running.remove(pid);
            status
        };
        let killed = async {
            too_much.cancelled().await;
            // SIGTERM is always known where signals are.
            let _ = self.running.kill(pid, TERMINATE);
            std::future::pending::<()>().await;
        };
        let work = async { tokio::join!(waited, read(out, max, &too_much), read(err, max, &too_much)) };
        let (status, (out, out_over), (err, err_over)) = tokio::select! {
            done = work => done,
            () = killed => return,
            () = self.time_limit(pid) => return,
        };
        let failure = match status {
            _ if out_over || err_over => Some(Failure {
                code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER".into(),
                message: format!("{} maxBuffer length exceeded", if out_over { "stdout" } else { "stderr" }),
                signal: None,
            }),
            Ok(status) if status.success() => None,
            Ok(status) => Some(Failure {
                code: status.code().map_or(Value::Null, |code| Value::from(f64::from(code))),
                message: format!("Command failed: {line}\n{}", String::from_utf8_lossy(&err)),
                signal: signal::of(status),
            }),
            Err(error) => Some(Failure { code: io_code(&error).into(), message: error.to_string(), signal: None }),
        };
        self.finish(msg, out, err, failure);
    }

    fn finish(&self, mut msg: Msg, out: Vec<u8>, err: Vec<u8>, failure: Option<Failure>) {
        let cx = &self.cx;
        msg.remove("payload");
        let mut errors = (!err.is_empty()).then(|| msg.clone());
        if let Some(errors) = &mut errors {
            errors.set("payload", output::payload(err));
        }
        msg.set("payload", output::payload(out));
        cx.report().status(Object::new());
        let code = match failure {
            Some(failure) => {
                if failure.code == Value::Null {
                    cx.report().show("red", "dot", "killed");
                } else {
                    cx.report().show("red", "dot", format!("error:{}", failure.code.to_text()));
                }
                cx.report().debug(format!("error:Error: {}", failure.message));
                Some(failure.value())
            }
            None if self.old_code => None,
            None => Some([("code", 0.0)].into_iter().collect::<Object>().into()),
        };
        let mut ended = None;
        if let Some(code) = code {
            let mut third = msg.clone();
            third.set("payload", code.clone());
            ended = Some(third);
            if let Some(errors) = &mut errors {
                errors.set("rc", code.clone());
            }
            msg.set("rc", code);
        }
        cx.out().send_all(vec![vec![msg.clone()], errors.into_iter().collect(), ended.into_iter().collect()]);
        cx.report().done(&msg);
    }
}
