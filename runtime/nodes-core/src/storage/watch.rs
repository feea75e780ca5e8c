//! The watch node: changes of files and folders.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use tokio::sync::Notify;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Object, Value, stringify};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("watch", build).denied_as("file");

/// Changes of one file within this time are one message, as in Node-RED.
const SETTLE: Duration = Duration::from_millis(200);

/// Changed paths that wait at most; beyond them changes are reported as an error, not kept.
const MAX_WAITING: usize = 100_000;

struct Watch {
    cx: NodeCx,
    /// What the node was given, for `msg.topic`.
    topic: String,
    paths: Vec<PathBuf>,
    recursive: bool,
    watcher: Mutex<Option<RecommendedWatcher>>,
}

/// A path as given, and as the system reports it.
#[derive(Clone)]
struct Target {
    given: PathBuf,
    absolute: PathBuf,
    is_folder: bool,
}

/// What the watching thread hands over.
#[derive(Default)]
struct Inbox {
    changed: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    paths: BTreeSet<PathBuf>,
    errors: Vec<String>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let files = props::text(config, "files", "");
    let paths: Vec<PathBuf> = files.split(',').map(|path| PathBuf::from(path.trim())).collect();
    let names: Vec<Value> = files.split(',').map(|path| Value::from(path.trim())).collect();
    let topic = match names.as_slice() {
        [one] => one.to_text().to_string(),
        many => stringify(&Value::array(many.to_vec())).ok().flatten().unwrap_or_default(),
    };
    let recursive = props::flag(config, "recursive");
    Ok(Rc::new(Watch { cx: cx.clone(), topic, paths, recursive, watcher: Mutex::default() }))
}

impl Node for Watch {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        let inbox = Arc::new(Inbox::default());
        match self.watch(&inbox) {
            Ok(targets) => {
                let (cx, topic) = (self.cx.clone(), self.topic.clone());
                self.cx.work().spawn(async move { report(cx, topic, targets, inbox).await });
            }
            Err(text) => self.failed(&text),
        }
    }

    fn drain(&self) {
        self.watcher.lock().take();
    }

    fn resume(&self) -> LocalBoxFuture<'static, ()> {
        if self.watcher.lock().is_none() {
            self.start();
        }
        Box::pin(std::future::ready(()))
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.watcher.lock().take();
        Box::pin(std::future::ready(()))
    }
}

impl Watch {
    fn failed(&self, text: &str) {
        let msg = Msg::new([("payload", "")].into_iter().collect());
        self.cx.report().error(Value::Error(ErrorValue::new(text).into()), Some(&msg));
    }

    fn watch(&self, inbox: &Arc<Inbox>) -> Result<Vec<Target>, String> {
        let sink = inbox.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let mut waiting = sink.changed.lock();
            match event {
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
                Ok(event) if waiting.paths.len() < MAX_WAITING => waiting.paths.extend(event.paths),
                Ok(_) => {
                    waiting.errors =
                        vec![format!("more than {MAX_WAITING} files changed at once: some are not reported")];
                }
                Err(error) => waiting.errors = vec![error.to_string()],
            }
            drop(waiting);
            sink.arrived.notify_one();
        })
        .map_err(|error| error.to_string())?;
        let here = std::env::current_dir().unwrap_or_default();
        let (mut targets, mut folders) = (Vec::new(), BTreeSet::new());
        for given in &self.paths {
            let absolute = here.join(given);
            let target = Target { given: given.clone(), is_folder: absolute.is_dir(), absolute: absolute.clone() };
            if !absolute.exists() {
                self.failed(&format!("{} does not exist.", given.display()));
                continue;
            }
            let (folder, mode) = match absolute.parent() {
                Some(parent) if !target.is_folder => (parent.to_owned(), RecursiveMode::NonRecursive),
                _ if self.recursive => (absolute, RecursiveMode::Recursive),
                _ => (absolute, RecursiveMode::NonRecursive),
            };
            targets.push(target);
            if folders.insert(folder.clone())
                && let Err(error) = watcher.watch(&folder, mode)
            {
                self.failed(&error.to_string());
            }
        }
        *self.watcher.lock() = Some(watcher);
        Ok(targets)
    }
}

async fn report(cx: NodeCx, topic: String, targets: Vec<Target>, inbox: Arc<Inbox>) {
    loop {
        inbox.arrived.notified().await;
        tokio::time::sleep(SETTLE).await;
        let Waiting { paths, errors } = std::mem::take(&mut *inbox.changed.lock());
        for text in errors {
            let msg = Msg::new([("payload", "")].into_iter().collect());
            cx.report().error(Value::Error(ErrorValue::new(text).into()), Some(&msg));
        }
        for path in paths {
            if let Some(shown) = targets.iter().find_map(|target| shown_as(&path, target)) {
                let delivery = cx.work().begin(|_| {});
                cx.out().send(Msg::new(describe(&path, &shown, &topic)).in_delivery(Some(delivery)));
            }
        }
    }
}

/// The path as the node's user knows it; `None` when the change is outside of what is watched.
fn shown_as(path: &Path, target: &Target) -> Option<PathBuf> {
    let rest = path.strip_prefix(&target.absolute).ok()?;
    if rest.as_os_str().is_empty() {
        return Some(target.given.clone());
    }
    target.is_folder.then(|| target.given.join(rest))
}

fn describe(path: &Path, shown: &Path, topic: &str) -> Object {
    let text = shown.display().to_string();
    let file = shown.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let found = std::fs::metadata(path).ok();
    let mut properties: Object =
        [("payload", text.as_str()), ("topic", topic), ("file", &file), ("filename", &text)].into_iter().collect();
    properties.insert("event", if found.is_some() { "update" } else { "remove" });
    let kind = match found.as_ref().map(std::fs::Metadata::file_type) {
        None => "none",
        Some(kind) if kind.is_file() => "file",
        Some(kind) if kind.is_block_device() => "blockdevice",
        Some(kind) if kind.is_char_device() => "characterdevice",
        Some(kind) if kind.is_socket() => "socket",
        Some(kind) if kind.is_fifo() => "fifo",
        Some(kind) if kind.is_dir() => "directory",
        Some(_) => "n/a",
    };
    if let Some(found) = found.filter(|_| kind == "file") {
        properties.insert("size", found.len() as f64);
    }
    properties.insert("type", kind);
    properties
}
