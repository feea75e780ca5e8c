//! The file node.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use tokio::sync::Notify;

use crate::storage::encoding::Encoding;
use crate::storage::errno::error_value;
use crate::storage::filename::{Filename, resolve};
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Value, stringify};

use super::writer::Writer;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("file", build).denied_as("file");

struct FileNode(Rc<Inner>);

struct Inner {
    cx: NodeCx,
    filename: Filename,
    action: Action,
    newline: bool,
    create_folder: bool,
    /// `none`, `setbymsg` or an encoding's name.
    encoding: String,
    /// Messages are written one after the other, in the order of arrival.
    queue: RefCell<VecDeque<Msg>>,
    /// Between messages; the working task has it while it runs.
    writer: RefCell<Writer>,
    busy: Cell<bool>,
    idle: Notify,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Append,
    Overwrite,
    Delete,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let action = match props::value(config, "overwriteFile").to_text().as_str() {
        "true" => Action::Overwrite,
        "delete" => Action::Delete,
        _ => Action::Append,
    };
    let inner = Inner {
        filename: Filename::new(&cx)?,
        action,
        newline: props::flag(config, "appendNewline"),
        create_folder: props::flag(config, "createDir"),
        encoding: props::text(config, "encoding", "none"),
        queue: RefCell::default(),
        writer: RefCell::default(),
        busy: Cell::new(false),
        idle: Notify::new(),
        cx: cx.clone(),
    };
    Ok(Rc::new(FileNode(Rc::new(inner))))
}

impl Node for FileNode {
    fn receive(&self, msg: Msg) {
        self.0.queue.borrow_mut().push_back(msg);
        if self.0.busy.replace(true) {
            return;
        }
        let inner = self.0.clone();
        self.0.cx.work().spawn(async move { inner.work().await });
    }

    /// What has arrived is written before the node goes.
    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        let inner = self.0.clone();
        Box::pin(async move {
            while inner.busy.get() {
                inner.idle.notified().await;
            }
            inner.cx.report().status(Value::object());
        })
    }
}

impl Inner {
    async fn work(&self) {
        let mut writer = self.writer.take();
        loop {
            let Some(msg) = self.queue.borrow_mut().pop_front() else { break };
            self.handle(msg, &mut writer).await;
        }
        *self.writer.borrow_mut() = writer;
        self.busy.set(false);
        self.idle.notify_one();
    }

    async fn handle(&self, mut msg: Msg, writer: &mut Writer) {
        let cx = &self.cx;
        let name = match self.filename.of(&msg, cx) {
            Ok(name) => name,
            Err(text) => {
                cx.report().error(text, Some(&msg));
                return cx.report().done(&msg);
            }
        };
        msg.set("filename", name.as_str());
        if name.is_empty() {
            cx.report().warn(cx.text("file.errors.nofilename", &[]));
            return cx.report().done(&msg);
        }
        let path = resolve(&name, cx);
        if self.action == Action::Delete {
            match tokio::fs::remove_file(&path).await {
                Ok(()) => {
                    cx.report().debug(cx.text("file.status.deletedfile", &[("file", &name)]));
                    cx.out().send(msg.clone());
                }
                Err(error) => self.failed("file.errors.deletefail", &error, "unlink", &path, &msg),
            }
            return cx.report().done(&msg);
        }
        if msg.get("payload").is_undefined() {
            return cx.report().done(&msg);
        }
        if let Some(folder) = path.parent().filter(|_| self.create_folder)
            && let Err(error) = tokio::fs::create_dir_all(folder).await
        {
            self.failed("file.errors.createfail", &error, "mkdir", folder, &msg);
            return cx.report().done(&msg);
        }
        let bytes = match self.bytes(&msg) {
            Ok(bytes) => bytes,
            Err(text) => return cx.report().error(text, Some(&msg)),
        };
        let (written, key) = match self.action {
            Action::Overwrite => (writer.overwrite(&path, &bytes).await, "file.errors.writefail"),
            _ => (writer.append(&path, &bytes, self.filename.is_fixed()).await, "file.errors.appendfail"),
        };
        match written {
            Ok(()) => cx.out().send(msg.clone()),
            Err(error) => self.failed(key, &error, "open", &path, &msg),
        }
        cx.report().done(&msg);
    }

    fn failed(&self, key: &str, error: &std::io::Error, call: &str, path: &std::path::Path, msg: &Msg) {
        let error = error_value(error, call, path).to_text();
        self.cx.report().error(self.cx.text(key, &[("error", &error)]), Some(msg));
    }

    fn bytes(&self, msg: &Msg) -> Result<Vec<u8>, String> {
        let payload = msg.get("payload");
        let encoding = match self.encoding.as_str() {
            "setbymsg" => msg.get("encoding"),
            name => Value::from(name),
        };
        let encoding = if encoding.truthy() { encoding.to_text() } else { "none".into() };
        if let (Value::Buffer(bytes), "none") = (&payload, encoding.as_str()) {
            return Ok(bytes.to_vec());
        }
        let mut text = match &payload {
            Value::Buffer(_) => payload.to_text().to_string(),
            payload if payload.type_of() == "object" => {
                stringify(payload).map_err(|error| error.to_string())?.unwrap_or_else(|| "undefined".to_owned())
            }
            payload => payload.to_text().to_string(),
        };
        let parts = msg.get("parts");
        // The last part of a split text gets no line end: the text had none there.
        let last = parts.get("type").as_str() == Some("string")
            && parts.get("count").as_number() == parts.get("index").as_number().map(|index| index + 1.0);
        if self.newline && !matches!(payload, Value::Buffer(_)) && !last {
            text.push('\n');
        }
        if encoding == "none" {
            return Ok(text.into_bytes());
        }
        Encoding::named(&encoding).map(|encoding| encoding.encode(&text)).map_err(|error| error.to_string())
    }
}
