//! The file in node: reads files whole, by lines or by chunks.

use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Value};

use super::encoding::{Decoder, Encoding};
use super::errno::error_value;
use super::filename::{Filename, resolve};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("file in", build).denied_as("file");

/// What is read at a time: Node.js's high water mark, which flows see as the size of chunks.
const CHUNK: usize = 64 * 1024;

#[derive(Clone)]
struct FileIn(Rc<Inner>);

struct Inner {
    cx: NodeCx,
    filename: Filename,
    format: Format,
    encoding: String,
    send_error: bool,
    all_properties: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Buffer,
    Lines,
    Chunks,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let format = match props::text(config, "format", "").as_str() {
        "utf8" => Format::Text,
        "lines" => Format::Lines,
        "stream" => Format::Chunks,
        _ => Format::Buffer,
    };
    let inner = Inner {
        filename: Filename::new(&cx)?,
        format,
        encoding: props::text(config, "encoding", "none"),
        send_error: props::flag_or(config, "sendError", true),
        all_properties: props::flag(config, "allProps"),
        cx: cx.clone(),
    };
    Ok(Rc::new(FileIn(Rc::new(inner))))
}

impl Node for FileIn {
    fn receive(&self, msg: Msg) {
        let inner = self.0.clone();
        self.0.cx.work().spawn(async move { inner.handle(msg).await });
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.0.cx.report().status(Value::object());
        Box::pin(std::future::ready(()))
    }
}

/// Fills a buffer as far as the file goes.
async fn fill(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut limited = file.take(CHUNK as u64);
    while limited.read_buf(&mut chunk).await? > 0 {}
    Ok(chunk)
}

impl Inner {
    async fn handle(&self, mut msg: Msg) {
        let cx = &self.cx;
        let name = match self.filename.of(&msg, cx) {
            Ok(name) => name.replace(['\t', '\r', '\n'], ""),
            Err(text) => {
                cx.report().error(text, Some(&msg));
                return cx.report().done(&msg);
            }
        };
        if name.is_empty() {
            cx.report().warn(cx.text("file.errors.nofilename", &[]));
            return cx.report().done(&msg);
        }
        msg.set("filename", name.as_str());
        let decoder = match self.encoding.as_str() {
            "none" => Decoder::keeping_mark(Encoding::Utf8),
            name => match Encoding::named(name) {
                Ok(encoding) => Decoder::new(encoding),
                Err(error) => return cx.report().error(error.to_string(), Some(&msg)),
            },
        };
        let path = resolve(&name, cx);
        let read = match self.format {
            Format::Text | Format::Buffer => self.whole(&path, &mut msg, decoder).await,
            Format::Lines => self.lines(&path, &msg, decoder).await,
            Format::Chunks => self.chunks(&path, &msg).await,
        };
        if let Err((error, call)) = read {
            let error = Value::Error(error_value(&error, call, &path).into());
            cx.report().error(error.clone(), Some(&msg));
            if self.send_error {
                let mut out = msg.clone();
                out.remove("payload");
                out.set("error", error);
                cx.out().send(out);
            }
        }
        cx.report().done(&msg);
    }

    async fn whole(&self, path: &PathBuf, msg: &mut Msg, mut decoder: Decoder) -> Result<(), Failure> {
        let mut file = File::open(path).await.map_err(|error| (error, "open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await.map_err(|error| (error, "read"))?;
        let payload = match self.format {
            Format::Text => Value::from(decoder.push(&bytes) + &decoder.finish()),
            _ => Value::Buffer(bytes.into()),
        };
        msg.set("payload", payload);
        self.cx.out().send(msg.clone());
        Ok(())
    }

    async fn lines(&self, path: &PathBuf, msg: &Msg, mut decoder: Decoder) -> Result<(), Failure> {
        let mut file = File::open(path).await.map_err(|error| (error, "open"))?;
        let (mut rest, mut index) = (String::new(), 0);
        loop {
            let chunk = fill(&mut file).await.map_err(|error| (error, "read"))?;
            let last = chunk.len() < CHUNK;
            rest.push_str(&decoder.push(&chunk));
            if last {
                rest.push_str(&decoder.finish());
            }
            let mut lines = rest.split('\n').peekable();
            let mut tail = "";
            while let Some(line) = lines.next() {
                if lines.peek().is_none() {
                    tail = line;
                } else {
                    self.send_part(msg, Value::from(line), index, false);
                    index += 1;
                }
            }
            rest = tail.to_owned();
            if last {
                break;
            }
            // The flow works off a chunk's lines before the next are read: memory stays bounded.
            tokio::task::yield_now().await;
        }
        self.send_part(msg, Value::from(rest), index, true);
        Ok(())
    }

    async fn chunks(&self, path: &PathBuf, msg: &Msg) -> Result<(), Failure> {
        let mut file = File::open(path).await.map_err(|error| (error, "open"))?;
        let mut index = 0;
        loop {
            let chunk = fill(&mut file).await.map_err(|error| (error, "read"))?;
            if chunk.is_empty() {
                if index > 0 {
                    // The file ends with a full chunk, so nothing has said yet that it was the last.
                    let parts = self.parts(msg, index, Some(index));
                    self.cx.out().send(msg.with_object([("parts", parts)].into_iter().collect()));
                }
                return Ok(());
            }
            let last = chunk.len() < CHUNK;
            self.send_part(msg, Value::Buffer(Bytes::from(chunk)), index, last);
            index += 1;
            if last {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    fn parts(&self, msg: &Msg, index: usize, count: Option<usize>) -> Value {
        let lines = self.format == Format::Lines;
        let mut parts: Object = [("index", Value::Number(index as f64))].into_iter().collect();
        if let Some(count) = count {
            parts.insert("count", count as f64);
        }
        parts.insert("ch", if lines { "\n" } else { "" });
        parts.insert("type", if lines { "string" } else { "buffer" });
        parts.insert("id", msg.id());
        Value::from(parts)
    }

    fn send_part(&self, msg: &Msg, payload: Value, index: usize, last: bool) {
        let mut out = if self.all_properties {
            msg.clone()
        } else {
            let kept = ["topic", "filename"].into_iter().filter(|name| msg.has(name)).map(|name| (name, msg.get(name)));
            msg.with_object(kept.collect())
        };
        out.set("payload", payload);
        out.set("parts", self.parts(msg, index, last.then_some(index + 1)));
        self.cx.out().send(out);
    }
}

/// The error and the call that failed.
type Failure = (std::io::Error, &'static str);
