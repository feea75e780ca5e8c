//! A flow that runs, and what came out of it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_engine::context::Contexts;
use flotilla_engine::message::{Counts, Delivery, Msg};
use flotilla_engine::observe::{LogEntry, Observer};
use flotilla_engine::settings::Settings;
use flotilla_engine::{
    Alone, Credentials, DeployError, DeployMode, DeployReport, Engine, EngineParts, Node, NodeCx, NodeError, Shared,
    Stateless,
};
use flotilla_flows::Document;
use flotilla_http::HttpServer;
use flotilla_value::{Object, Value, parse_json, stringify};
use parking_lot::{Condvar, Mutex};

/// Nothing here takes longer, whatever the machine does meanwhile.
const DEADLINE: Duration = Duration::from_secs(30);

/// What came out: messages at `sink` nodes, log texts.
#[derive(Default)]
struct Outputs {
    events: Mutex<(Vec<Value>, Vec<String>)>,
    changed: Condvar,
}

struct Log(Arc<Outputs>);

impl Observer for Log {
    fn log(&self, entry: &LogEntry) {
        self.0.events.lock().1.push(entry.msg.to_text().to_string());
        self.0.changed.notify_all();
    }

    fn status(&self, node: &str, status: &Value) {
        let status = stringify(status).ok().flatten().unwrap_or_default();
        self.0.events.lock().1.push(format!("status {node} {status}"));
        self.0.changed.notify_all();
    }
}

/// The node type `sink`: keeps the value of what arrives and lets the message go.
struct Sink(NodeCx);

impl Node for Sink {
    fn receive(&self, msg: Msg) {
        let seen = self.0.shared().extensions().get_or_init(Outputs::default);
        let value = msg.value();
        drop(msg);
        seen.events.lock().0.push(value);
        seen.changed.notify_all();
    }
}

fn sink(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Sink(cx)))
}

/// A deployed flow.
pub struct Flow {
    engine: Option<Engine>,
    shared: Arc<Shared>,
    runtime: tokio::runtime::Runtime,
    seen: Arc<Outputs>,
}

impl Flow {
    /// Deploys one node `n` that is wired to a sink.
    pub fn of(node: &str) -> Flow {
        let mut node: serde_json::Value =
            serde_json::from_str(node).expect("the test's own flow and messages are sound");
        node["id"] = "n".into();
        node["z"] = "t".into();
        node["wires"] = serde_json::json!([["out"]]);
        let document = serde_json::json!([
            {"id": "t", "type": "tab", "label": "tab"}, node, {"id": "out", "z": "t", "type": "sink", "wires": []}
        ]);
        Flow::new(&document.to_string())
    }

    /// Deploys a document. Messages are sent to its node `n`; what its nodes of the type `sink` get is seen.
    pub fn new(document: &str) -> Flow {
        let settings = Settings { workers: 1, catalogue_keys: true, ..Settings::default() };
        let document = Document::parse(document).expect("the test's own flow and messages are sound");
        let started = Flow::start(&document, settings, Credentials::default());
        started.expect("the test's own flow and messages are sound")
    }

    /// Deploys nodes of one tab, beside a sink `out`. Nodes with wires are in the tab, those without are config nodes.
    pub fn with(nodes: serde_json::Value, settings: Settings) -> Result<Flow, DeployError> {
        Flow::with_credentials(nodes, settings, Credentials::default())
    }

    /// The same with credentials.
    pub fn with_credentials(
        nodes: serde_json::Value,
        settings: Settings,
        credentials: Credentials,
    ) -> Result<Flow, DeployError> {
        let mut document = vec![
            serde_json::json!({"id": "t", "type": "tab", "label": "tab"}),
            serde_json::json!({"id": "out", "z": "t", "type": "sink", "wires": []}),
        ];
        for node in nodes.as_array().expect("the test's own flow and messages are sound") {
            let mut node = node.clone();
            if node.get("wires").is_some() {
                node["z"] = "t".into();
            }
            document.push(node);
        }
        let document = Document::from_value(document.into()).expect("the test's own flow and messages are sound");
        Flow::start(&document, settings, credentials)
    }

    fn start(document: &Document, settings: Settings, credentials: Credentials) -> Result<Flow, DeployError> {
        let seen = Arc::new(Outputs::default());
        let mut types = flotilla_runtime::types();
        types.extend([Stateless::node("sink", sink), crate::waits::TYPE]);
        let engine = Engine::start(EngineParts {
            settings,
            contexts: Arc::new(Contexts::default()),
            observer: Box::new(Log(seen.clone())),
            schedule: Arc::new(Alone),
            types,
        })
        .expect("the test's own flow and messages are sound");
        engine.shared().extensions().insert(seen.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the test's own flow and messages are sound");
        let flow = Flow { shared: engine.shared().clone(), engine: Some(engine), runtime, seen };
        let engine = flow.engine.as_ref().expect("it was set just now");
        flow.runtime.block_on(engine.deploy(document, credentials, DeployMode::Full))?;
        Ok(flow)
    }

    /// Changes a setting of Node-RED's and has script engines follow, as a replica does it before a deploy.
    pub fn set(&self, name: &str, value: serde_json::Value) {
        let mut settings = (*self.shared.settings()).clone();
        settings.node_red.insert(name.to_owned(), value);
        self.shared.set_settings(settings);
        for worker in self.shared.workers() {
            worker.run(|_| flotilla_script::Script::follow_settings());
        }
    }

    /// Serves HTTP on a free port of this machine.
    pub fn http(&self) -> SocketAddr {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        HttpServer::bind(&self.shared, address).expect("port 0 is always free").local_addr()
    }

    /// Runs a future of a test.
    pub fn run<R>(&self, work: impl Future<Output = R>) -> R {
        self.runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await }).expect("the deadline is generous")
    }

    /// Sends a message, given as JSON, to a node.
    pub fn send_to(&self, node: &str, msg: &str) {
        let msg = parse_json(msg.as_bytes()).expect("the test's own flow and messages are sound");
        let delivery = Delivery::begin(self.shared.deliveries(), "test".into(), |_| {});
        assert!(self.shared.deliver(node, Msg::from_value(msg, Some(delivery))));
    }

    /// Waits for a log line, or a `status NODE {...}`, that contains this text, and gives it.
    pub fn line(&self, text: &str) -> String {
        self.wait(&format!("line with {text:?}"), |_, log| log.iter().find(|line| line.contains(text)).cloned())
    }

    /// Waits for a log line that ends with the port that was bound.
    pub fn port(&self, text: &str) -> u16 {
        let line = self.line(text);
        let digits = line.rsplit([' ', ':']).next().unwrap_or_default();
        digits.parse().expect("the line ends with a port")
    }

    /// Sends a message, given as JSON, into the node, in a delivery of its own.
    pub fn send(&self, msg: &str) {
        self.send_value(parse_json(msg.as_bytes()).expect("the test's own flow and messages are sound"));
    }

    /// Sends a message into the node, in a delivery of its own.
    pub fn send_value(&self, msg: Value) {
        let delivery = Delivery::begin(self.shared.deliveries(), "test".into(), |_| {});
        assert!(self.shared.deliver("n", Msg::from_value(msg, Some(delivery))));
    }

    /// Sends a message to a node, in a delivery of its own, if it is there.
    pub fn send_value_to(&self, node: &str, msg: Value) {
        let delivery = Delivery::begin(self.shared.deliveries(), "test".into(), |_| {});
        self.shared.deliver(node, Msg::from_value(msg, Some(delivery)));
    }

    /// Sends a payload.
    pub fn send_payload(&self, payload: Value) {
        self.send_value(Value::from([("payload", payload)].into_iter().collect::<Object>()));
    }

    fn wait<R>(&self, what: &str, mut found: impl FnMut(&[Value], &[String]) -> Option<R>) -> R {
        let until = Instant::now() + DEADLINE;
        let mut events = self.seen.events.lock();
        loop {
            if let Some(found) = found(&events.0, &events.1) {
                return found;
            }
            let late = self.seen.changed.wait_until(&mut events, until).timed_out();
            assert!(!late, "no {what}; messages {:?}, log {:?}", events.0, events.1);
        }
    }

    /// The first so many messages, as they come.
    pub fn messages(&self, count: usize) -> Vec<Value> {
        self.wait("message", |messages, _| (messages.len() >= count).then(|| messages.to_vec()))
    }

    /// What the first message has that has it.
    pub fn first<R>(&self, found: impl Fn(&Value) -> Option<R>) -> R {
        self.wait("message", |messages, _| messages.iter().find_map(&found))
    }

    /// The payloads of the first so many messages, as one JSON array.
    pub fn payloads(&self, count: usize) -> String {
        let payloads = self.messages(count).iter().map(|msg| msg.get("payload")).collect();
        stringify(&Value::array(payloads))
            .expect("the test's own flow and messages are sound")
            .expect("the test's own flow and messages are sound")
    }

    /// Waits for a log line that begins so.
    pub fn logged(&self, text: &str) {
        self.wait(&format!("log line {text:?}"), |_, log| log.iter().any(|line| line.starts_with(text)).then_some(()));
    }

    /// Replaces what runs. False when the document is refused.
    pub fn deploy(&self, document: &serde_json::Value) -> bool {
        let Ok(document) = Document::from_value(document.clone()) else { return false };
        let engine = self.engine.as_ref().expect("it runs until it is dropped");
        self.runtime.block_on(engine.deploy(&document, Credentials::default(), DeployMode::Full)).is_ok()
    }

    /// Deploys a document as it stands.
    pub fn documented(document: &serde_json::Value, settings: Settings) -> Result<Flow, DeployError> {
        let document = Document::from_value(document.clone()).expect("the test's own flow and messages are sound");
        Flow::start(&document, settings, Credentials::default())
    }

    /// Replaces what runs, in this mode, and tells what the deploy reports.
    pub fn redeploy(&self, document: &serde_json::Value, mode: DeployMode) -> DeployReport {
        let document = Document::from_value(document.clone()).expect("the test's own flow and messages are sound");
        let engine = self.engine.as_ref().expect("it runs until it is dropped");
        let report = self.run(engine.deploy(&document, Credentials::default(), mode));
        report.expect("the test's own flow and messages are sound")
    }

    /// Waits until no delivery is open, and says how many messages have come so far.
    pub fn settled_and_seen(&self) -> usize {
        self.settled();
        // A sink lets go of a message before it tells: one turn later it has told.
        let worker = self.shared.workers().remove(0);
        self.run(worker.call(|_| Box::pin(std::future::ready(()))));
        self.seen()
    }

    /// The log lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.seen.events.lock().1.clone()
    }

    /// Hands a message to every node that is live.
    pub fn send_everywhere(&self, ids: &[String], msg: &Value) {
        for id in ids {
            self.shared.deliver(id, Msg::from_value(msg.clone(), None));
        }
    }

    /// The log lines so far that tell of a panic inside of a node.
    pub fn panics(&self) -> Vec<String> {
        self.seen.events.lock().1.iter().filter(|line| line.starts_with("internal error")).cloned().collect()
    }

    /// Waits until no delivery is open, and says how they ended.
    pub fn settled(&self) -> Counts {
        let deliveries = self.shared.deliveries();
        let idle = self.runtime.block_on(async { tokio::time::timeout(DEADLINE, deliveries.idle()).await });
        assert!(idle.is_ok(), "deliveries are still open: {:?}", deliveries.counts());
        deliveries.counts()
    }

    /// Messages that have come so far.
    pub fn seen(&self) -> usize {
        self.seen.events.lock().0.len()
    }

    /// Deliveries that are open now.
    pub fn open_deliveries(&self) -> usize {
        self.shared.deliveries().counts().in_flight
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            self.runtime.block_on(engine.shutdown());
        }
    }
}
