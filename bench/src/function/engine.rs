//! The engine with a source, the function node and a sink.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use flotilla_engine::context::Contexts;
use flotilla_engine::message::Msg;
use flotilla_engine::observe::TracingObserver;
use flotilla_engine::settings::Settings;
use flotilla_engine::{
    Alone, Credentials, DeployMode, Engine, EngineParts, Node, NodeCx, NodeError, NodeTypes, Stateless,
};
use flotilla_flows::Document;
use flotilla_value::parse_json;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::case::Case;

/// Messages that are in the run queue at once.
const BATCH: usize = 100;

/// What the source sends, and who waits for the last one.
struct Course {
    message: String,
    messages: usize,
    arrived: Mutex<usize>,
    ended: Mutex<Option<oneshot::Sender<Instant>>>,
    begun: Mutex<Option<Instant>>,
}

struct Source(NodeCx);
struct Sink(NodeCx);

impl Node for Source {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        let cx = self.0.clone();
        self.0.work().spawn(async move {
            let Some(course) = cx.shared().extensions().get::<Course>() else { return };
            let Ok(value) = parse_json(course.message.as_bytes()) else { return };
            let msg = Msg::from_value(value, None);
            // The first tenth warms up.
            let warm_up = course.messages / 10;
            for number in 0..warm_up + course.messages {
                if number == warm_up {
                    *course.begun.lock() = Some(Instant::now());
                }
                cx.out().send(msg.clone());
                if number % BATCH == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
}

impl Node for Sink {
    fn receive(&self, msg: Msg) {
        let Some(course) = self.0.shared().extensions().get::<Course>() else { return };
        let mut arrived = course.arrived.lock();
        *arrived += 1;
        if *arrived == course.messages + course.messages / 10
            && let Some(ended) = course.ended.lock().take()
        {
            let _ = ended.send(Instant::now());
        }
        self.0.report().done(&msg);
    }
}

fn source(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Source(cx)))
}

fn sink(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Sink(cx)))
}

fn types() -> NodeTypes {
    let mut types = flotilla_runtime::types();
    types.extend([Stateless::node("bench source", source), Stateless::node("bench sink", sink)]);
    types
}

/// Microseconds a message from source to sink.
pub async fn measure(case: &Case, messages: usize) -> anyhow::Result<f64> {
    let engine = Engine::start(EngineParts {
        settings: Settings { workers: 1, ..Settings::default() },
        contexts: Arc::new(Contexts::default()),
        observer: Box::new(TracingObserver),
        schedule: Arc::new(Alone),
        types: types(),
    })?;
    let (ended, end) = oneshot::channel();
    let course = Arc::new(Course {
        message: case.message(),
        messages,
        arrived: Mutex::new(0),
        ended: Mutex::new(Some(ended)),
        begun: Mutex::new(None),
    });
    engine.shared().extensions().insert(course.clone());
    let flow = serde_json::json!([
        {"id": "t", "type": "tab", "label": "bench"},
        {"id": "a", "type": "bench source", "z": "t", "wires": [["b"]]},
        {"id": "b", "type": "function", "z": "t", "func": case.code, "outputs": 1, "wires": [["c"]]},
        {"id": "c", "type": "bench sink", "z": "t", "wires": []},
    ]);
    let report = engine.deploy(&Document::from_value(flow)?, Credentials::default(), DeployMode::Full).await?;
    ensure!(report.problems.is_empty(), "{:?}", report.problems);
    let ended = end.await.context("the sink is gone")?;
    let begun = course.begun.lock().context("the source began")?;
    engine.shutdown().await;
    Ok((ended - begun).as_secs_f64() * 1e6 / messages as f64)
}
