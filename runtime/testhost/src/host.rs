//! The host's loop: reads ops, runs them strictly in order.

use std::io::Read;
use std::sync::Arc;

use flotilla_flows::Document;
use flotilla_tasks::Task;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use flotilla_engine::context::Contexts;
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Credentials, DeployMode, Engine, EngineParts};

use super::events::{EventObserver, Events};
use super::op::Op;
use super::server::{Comms, FlowHttp, Front};
use super::{act, admin, context_ops, helper_node};

/// Reads of stdin that wait to be handled.
const BACKLOG: usize = 64;

/// Why the host could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine's threads could not be made.
    #[error("the engine could not start: {0}")]
    Engine(#[source] std::io::Error),
    /// No port for the editor's buttons.
    #[error("no port on 127.0.0.1 for the admin server: {0}")]
    Admin(#[source] std::io::Error),
}

struct Host {
    engine: Engine,
    events: Arc<Events>,
    comms: Arc<Comms>,
    front: Front,
    admin: String,
    /// What `context init` described, for `context load`.
    storage: Option<Json>,
}

/// Serves stdin until it ends.
pub async fn run() -> Result<(), HostError> {
    let (events, comms) = (Arc::new(Events::default()), Arc::new(Comms::default()));
    let settings = Settings { workers: 1, allow_unknown: true, catalogue_keys: true, ..Settings::default() };
    let observer = EventObserver { events: events.clone(), comms: comms.clone() };
    let engine = Engine::start(EngineParts {
        settings,
        contexts: Arc::new(Contexts::default()),
        observer: Box::new(observer),
        schedule: Arc::new(Alone),
        types: helper_node::types(),
    })
    .map_err(HostError::Engine)?;
    let flow_http =
        flotilla_http::HttpServer::bind(engine.shared(), ([127, 0, 0, 1], 0).into()).map_err(HostError::Admin)?;
    engine.shared().extensions().insert(Arc::new(FlowHttp(flow_http.local_addr())));
    let admin = admin::serve(&engine).await.map_err(HostError::Admin)?;
    let runtime = format!("flotilla {}", env!("CARGO_PKG_VERSION"));
    events.post(&json!({"ev": "hello", "protocol": 1, "runtime": runtime, "admin": admin}));
    let mut host = Host { engine, events, comms, front: Front::default(), admin, storage: None };
    let mut reads = read_stdin();
    while let Some(ops) = reads.recv().await {
        host.handle(ops).await;
    }
    host.front.off();
    host.engine.shutdown().await;
    Ok(())
}

/// One item per read, with all its complete lines: a burst stays a burst.
fn read_stdin() -> mpsc::Receiver<Vec<Op>> {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let task = Task {
        name: "stdin",
        owner: "testhost".into(),
        ends: "stdin ends",
        failure: "the host takes no more operations and ends",
    };
    let reader = task.thread(move || {
        let (mut stdin, mut pending, mut chunk) = (std::io::stdin().lock(), Vec::new(), vec![0; 1 << 20]);
        loop {
            match stdin.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(n) => pending.extend_from_slice(&chunk[..n]),
            }
            let Some(end) = pending.iter().rposition(|byte| *byte == b'\n') else { continue };
            let rest = pending.split_off(end + 1);
            let lines = std::mem::replace(&mut pending, rest);
            let parsed = lines
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .filter_map(|line| Op::parse(line).map_err(|error| tracing::warn!("testhost: {error}")).ok());
            if sender.blocking_send(parsed.collect()).is_err() {
                return;
            }
        }
    });
    if let Err(error) = reader {
        tracing::error!("testhost: no thread for stdin: {error}");
    }
    receiver
}

impl Host {
    async fn handle(&mut self, ops: Vec<Op>) {
        let mut burst = Vec::new();
        for op in ops {
            if act::is_instant(&op) {
                burst.push(op);
                continue;
            }
            self.run_burst(std::mem::take(&mut burst)).await;
            let answer = self.run_one(&op).await;
            self.events.reply(op.id.as_ref(), answer);
        }
        self.run_burst(burst).await;
    }

    async fn run_burst(&self, burst: Vec<Op>) {
        let Some(worker) = self.engine.shared().workers().first().cloned().filter(|_| !burst.is_empty()) else {
            return;
        };
        let events = self.events.clone();
        let run = worker.call(move |worker| {
            for op in burst {
                act::run(&worker, &op);
                if op.id.is_some() {
                    events.reply(op.id.as_ref(), Ok(Json::Null));
                }
            }
            Box::pin(std::future::ready(()))
        });
        run.await;
    }

    async fn run_one(&mut self, op: &Op) -> Result<Json, String> {
        match op.name.as_str() {
            "load" => {
                self.engine.stop().await;
                self.engine.shared().contexts().replace(Contexts::default());
                self.deploy(op, DeployMode::Full).await
            }
            "setFlows" => {
                let mode = match op.text("type") {
                    "nodes" => DeployMode::Nodes,
                    "flows" => DeployMode::Flows,
                    _ => DeployMode::Full,
                };
                self.deploy(op, mode).await
            }
            "stop" => {
                self.engine.stop().await;
                Ok(Json::Null)
            }
            "act" => {
                self.close(op).await;
                Ok(Json::Null)
            }
            "ctx" => self.context_op(op).await,
            "context" => {
                match op.text("do") {
                    "init" => self.storage = op.json("settings").cloned(),
                    "load" => self.engine.shared().contexts().replace(context_ops::stores(self.storage.as_ref())),
                    _ => {}
                }
                Ok(Json::Null)
            }
            "settings" | "env" => {
                self.change_settings(op);
                Ok(Json::Null)
            }
            "server" => self.server(op.flag("on")).await,
            "state" => {
                let shared = self.engine.shared();
                let state = shared.any_config_node(op.text("node")).map(|node| node.inspect()).unwrap_or_default();
                let flag = |key: &str| state.get(key).truthy();
                Ok(json!({"state": {"connected": flag("connected"), "connecting": flag("connecting")}}))
            }
            other => Err(format!("unknown op \"{other}\"")),
        }
    }

    async fn deploy(&self, op: &Op, mode: DeployMode) -> Result<Json, String> {
        let document = Document::from_value(op.json("flow").cloned().unwrap_or_default());
        let document = document.map_err(|error| error.to_string())?;
        let credentials: Credentials =
            op.map("credentials").filter_map(|(id, fields)| Some((id.clone(), fields.as_object()?.clone()))).collect();
        self.engine.deploy(&document, credentials, mode).await.map_err(|error| error.to_string())?;
        let live = document.entries().iter().map(|entry| entry.id.as_str());
        let live: Vec<&str> = live.filter(|id| self.engine.shared().worker_of(id).is_some()).collect();
        Ok(json!({"nodes": live, "admin": self.admin}))
    }

    async fn close(&self, op: &Op) {
        let (id, removed) = (op.text("node").to_owned(), op.value("args").as_array().is_some_and(|a| a[0].truthy()));
        let Some(worker) = self.engine.shared().worker_of(&id) else { return };
        worker.call(move |worker| Box::pin(worker.close_node(id.into(), removed))).await;
    }

    async fn context_op(&self, op: &Op) -> Result<Json, String> {
        let id = op.text("node").to_owned();
        let shared = self.engine.shared();
        let scope = op.text("scope").to_owned();
        if scope == "global" {
            let context = shared.contexts().scope(flotilla_engine::context::ScopeKey::global());
            return context_ops::run(&context, op);
        }
        let found = match shared.worker_of(&id) {
            Some(worker) => {
                let found = worker.call(move |worker| {
                    let context = worker.slot(&id).map(|slot| match scope.as_str() {
                        "flow" => slot.cx.contexts().flow(),
                        _ => slot.cx.contexts().own(),
                    });
                    Box::pin(std::future::ready(context))
                });
                found.await.flatten()
            }
            None => None,
        };
        let context = found.ok_or_else(|| format!("no such node {}", op.text("node")))?;
        context_ops::run(&context, op)
    }

    fn change_settings(&self, op: &Op) {
        let shared = self.engine.shared();
        let mut settings = Settings::clone(&shared.settings());
        if op.name == "env" {
            settings.env.extend(op.map("set").map(|(k, v)| (k.clone(), v.as_str().map(str::to_owned))));
            settings.env.extend(op.texts("unset").map(|key| (key.to_owned(), None)));
        } else {
            settings.node_red.extend(op.map("set").map(|(key, value)| (key.clone(), value.clone())));
            for key in op.texts("unset") {
                settings.node_red.remove(key);
            }
        }
        shared.set_settings(settings);
    }

    async fn server(&self, on: bool) -> Result<Json, String> {
        if !on {
            self.front.off();
            return Ok(Json::Null);
        }
        let shared = self.engine.shared().clone();
        let flow = move || shared.extensions().get::<FlowHttp>().map(|server| server.0);
        let url = self.front.on(self.comms.clone(), flow).await.map_err(|error| error.to_string())?;
        Ok(json!({"http": url}))
    }
}
