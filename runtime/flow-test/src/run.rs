//! Running a test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_flows::Document;
use flotilla_tasks::Task;

use flotilla_engine::context::{Contexts, MemoryStore};
use flotilla_engine::message::{Delivery, Msg};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Credentials, DeployError, DeployMode, Engine, EngineParts, WorkerHandle};
use flotilla_value::Object;

use super::case::{Case, Input, Request, Suite};
use super::check::Check;
use super::exchange::exchange;
use super::isolate::{Isolation, Role, types};
use super::nodes::Nodes;
use super::outcome::{Failure, Outcome};
use super::record::{Record, Recorder};

/// How often the test looks at what makes no event: context, deliveries that end.
const LOOK: Duration = Duration::from_millis(5);

/// What all tests of a flow have in common.
pub struct Bench {
    /// The flow.
    pub document: Document,
    /// Its credentials.
    pub credentials: Credentials,
    /// Settings to begin with: `allow_unknown`, `node_modules`, `env`.
    pub settings: Settings,
    /// The flow's nodes.
    pub nodes: Nodes,
}

/// Why a test could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine's threads could not be made.
    #[error("the engine could not start: {0}")]
    Engine(#[source] std::io::Error),
    /// The flow document cannot run.
    #[error(transparent)]
    Refused(#[from] DeployError),
}

impl Bench {
    /// Runs a test, with an engine and context of its own.
    ///
    /// # Errors
    /// When the flow cannot run at all. A test that fails is no error.
    pub async fn run(&self, suite: &Suite, case: &Case) -> Result<Outcome, RunError> {
        let began = Instant::now();
        let record = Arc::new(Record::default());
        let contexts = Arc::new(Contexts::default());
        contexts.add("shared", Arc::new(MemoryStore::default()));
        let mut failures = set_context(&contexts, case);
        let engine = Engine::start(EngineParts {
            settings: self.settings_of(suite, case),
            contexts: contexts.clone(),
            observer: Box::new(Recorder(record.clone())),
            schedule: Arc::new(Alone),
            types: types(),
        })
        .map_err(RunError::Engine)?;
        engine.shared().extensions().insert(Arc::new(Isolation::of(case, &self.nodes)));
        let deployed = engine.deploy(&self.document_of(case), self.credentials.clone(), DeployMode::Full).await;
        let report = match deployed {
            Ok(report) => report,
            Err(error) => {
                engine.shutdown().await;
                return Err(error.into());
            }
        };
        failures.extend(report.problems.into_iter().map(|problem| Failure {
            place: String::new(),
            message: format!("{} \"{}\" cannot start: {}", problem.kind, problem.name, problem.message),
            found: Vec::new(),
        }));
        let check = Check { case, nodes: &self.nodes, contexts: &contexts };
        // Counted from here: a slow machine takes its time to start a flow.
        let late = self.play(&engine, &record, &check, Instant::now() + case.timeout).await;
        failures.extend(check.failures(&record.events.lock()));
        failures.extend(late);
        engine.shutdown().await;
        let log = std::mem::take(&mut record.events.lock().log);
        Ok(Outcome { name: case.name.clone(), failures, log, took: began.elapsed() })
    }

    fn settings_of(&self, suite: &Suite, case: &Case) -> Settings {
        let mut settings = Settings { workers: 1, ..self.settings.clone() };
        settings.node_red.extend(suite.settings.clone());
        settings.env.extend(case.env.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        settings
    }

    /// The flow, with inject nodes that fire only when the test says so.
    fn document_of(&self, case: &Case) -> Document {
        let mut value = self.document.to_value();
        for entry in value.as_array_mut().into_iter().flatten() {
            let is_live = case.live.iter().filter_map(|id| self.nodes.get(id)).any(|node| entry["id"] == node.entry);
            if entry["type"] == "inject" && !is_live {
                entry["once"] = false.into();
                entry["repeat"] = "".into();
                entry["crontab"] = "".into();
            }
        }
        Document::from_value(value).unwrap_or_else(|_| self.document.clone())
    }

    /// Injects and waits until everything has happened. A failure when time is over with work under way.
    async fn play(
        &self,
        engine: &Engine,
        record: &Arc<Record>,
        check: &Check<'_>,
        deadline: Instant,
    ) -> Option<Failure> {
        let case = check.case;
        let worker = engine.shared().workers().into_iter().next()?;
        let until = tokio::time::Instant::from_std(deadline);
        let all = async {
            let mut asked = 0;
            for inject in &case.inject {
                tokio::time::sleep(inject.after).await;
                for _ in 0..inject.times {
                    match &inject.what {
                        Input::Message { node, output, msg } => self.inject(engine, &worker, node, *output, msg).await,
                        Input::Request(request) => {
                            ask(engine, record, request, asked).await;
                            asked += 1;
                        }
                    }
                    while !is_idle(&worker).await {
                        tokio::task::yield_now().await;
                    }
                }
            }
            loop {
                let settled = engine.shared().deliveries().counts().in_flight == 0 && is_idle(&worker).await;
                let (met, overflow) = {
                    let events = record.events.lock();
                    let answered = events.responses.len() == asked;
                    (answered && check.failures(&events).is_empty(), events.overflow)
                };
                if overflow || (met && settled) {
                    return overflow;
                }
                let _ = tokio::time::timeout(LOOK, record.changed.notified()).await;
            }
        };
        match tokio::time::timeout_at(until, all).await {
            Ok(true) => Some(Failure {
                place: String::new(),
                message: "more than 100,000 messages, errors and statuses: does the flow go round in a loop?"
                    .to_owned(),
                found: Vec::new(),
            }),
            Ok(false) => {
                tokio::time::sleep(case.quiet).await;
                None
            }
            Err(_) => None,
        }
    }

    /// Puts one message in, as a delivery of its own.
    async fn inject(&self, engine: &Engine, worker: &WorkerHandle, node: &str, output: Option<usize>, msg: &Object) {
        let delivery = Delivery::begin(engine.shared().deliveries(), node.into(), |_| {});
        let msg = Msg::new(msg.clone()).in_delivery(Some(delivery));
        let is_input = self.nodes.get(node).is_some_and(|node| Role::of(&node.kind) == Some(Role::Input));
        let isolated = !engine.shared().extensions().get_or_init(Isolation::default).is_live(node);
        let output = output.or((is_input && isolated).then_some(0));
        let id = node.to_owned();
        let put = worker.call(move |worker| {
            if let Some(slot) = worker.slot(&id) {
                match output {
                    Some(output) => slot.cx.out().send_to(output, msg),
                    None => worker.enqueue(slot, msg),
                }
            }
            Box::pin(std::future::ready(()))
        });
        put.await;
    }
}

/// Sends a request and waits until it is with its node, or was answered by none.
async fn ask(engine: &Engine, record: &Arc<Record>, request: &Request, number: usize) {
    let begun = || engine.shared().deliveries().counts().started;
    let before = begun();
    let (shared, request, answers) = (engine.shared().clone(), request.clone(), record.clone());
    // Ends with the answer, or when the engine shuts down and closes the connection.
    let task = Task {
        name: "request",
        owner: "flow test".into(),
        ends: "it is answered, or the engine shuts down",
        failure: "the request has no answer, which the test reports",
    };
    let asking = task.spawn(async move { answers.answered(number, exchange(&shared, &request).await) });
    while begun() == before && !asking.is_finished() {
        let _ = tokio::time::timeout(LOOK, record.changed.notified()).await;
    }
}

async fn is_idle(worker: &WorkerHandle) -> bool {
    worker.call(|worker| Box::pin(std::future::ready(worker.is_idle()))).await.unwrap_or(true)
}

fn set_context(contexts: &Arc<Contexts>, case: &Case) -> Vec<Failure> {
    let set = case.context.iter().filter_map(|value| {
        let context = contexts.scope(value.whose.scope.clone());
        let error = context.set(&value.key, value.value.clone(), value.store.as_deref()).err()?;
        let message = format!("{} context \"{}\" could not be set: {error}", value.whose.label, value.key);
        Some(Failure { place: String::new(), message, found: Vec::new() })
    });
    set.collect()
}
