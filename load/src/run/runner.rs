//! A run from its first connection to its results.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};

use super::client::{Client, Part};
use super::steps::Steps;
use crate::http::Requester;
use crate::measure::{Machine, group_digits};
use crate::report::{Checked as CheckedThreshold, Generator, Results, StreamResult};
use crate::scenario::{Checked, Kind};
use crate::shared::{Clock, Gauge, Phase, Run, Snapshot, peak_memory_mib};
use crate::tracker::Totals;

/// How often the run looks at itself.
const TICK: Duration = Duration::from_millis(200);
/// After the last output, repeats are waited for.
const AFTERWARDS: f64 = 0.3;
/// Clients may take this long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// Clients that connect at once.
const AT_ONCE: usize = 64;
/// A generator that is this busy is the limit.
const BUSY: f64 = 0.93;
/// A generator that is this late, in milliseconds at the 99th percentile, is the limit.
const LATE_MS: f64 = 20.0;

/// What may be watched or added.
#[derive(Default)]
pub struct Options<'a> {
    /// Findings of each kind that are kept; 1,000 unless given.
    pub findings: Option<usize>,
    /// Is shown how it goes, five times a second.
    #[allow(clippy::type_complexity, reason = "a callback, named once")]
    pub live: Option<Box<dyn FnMut(&Snapshot) + 'a>>,
    /// What happens beside the load: faults.
    pub beside: Option<Beside<'a>>,
    /// Ends the run early, when it is ready.
    pub stop: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    /// Which client sends and collects.
    pub client: Client,
}

/// Something beside the load: gets the handle of the run, and is dropped when the run ends.
pub type Beside<'a> = Box<dyn FnOnce(Handle) -> Pin<Box<dyn Future<Output = ()> + 'a>> + 'a>;

/// What something beside the load may do.
#[derive(Clone)]
pub struct Handle {
    run: Rc<Run>,
    replicas: Rc<Cell<Option<u32>>>,
}

impl Handle {
    /// Seconds since the begin.
    pub fn now(&self) -> f64 {
        self.run.now()
    }

    /// When the streams end.
    pub fn ends(&self) -> f64 {
        ends(&self.run.scenario)
    }

    /// Marks the time axis.
    pub fn event(&self, kind: &str, what: &str) {
        self.run.book.borrow_mut().event(self.run.now(), kind, what);
    }

    /// How many replicas are ready.
    pub fn replicas(&self, ready: Option<u32>) {
        self.replicas.set(ready);
    }

    /// Messages that came out so far.
    pub fn received(&self) -> u64 {
        self.run.book.borrow().tracker.totals().received
    }
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A broker.
    #[error("cannot connect to the broker {address} as {who}: {error}. Is it running, and is the address right?")]
    Connect {
        /// Where.
        address: String,
        /// Publisher or collector.
        who: String,
        /// Why.
        error: String,
    },
}

fn ends(scenario: &Checked) -> f64 {
    scenario.streams.iter().map(|stream| stream.pace.ends()).fold(0.0, f64::max)
}

/// Runs a scenario. Everything is on the calling thread, in this one future.
///
/// # Errors
/// When a connection cannot be made at the begin.
pub async fn run(scenario: Checked, mut options: Options<'_>) -> Result<Results, RunError> {
    let machine = Machine::here();
    let started = jiff::Timestamp::now();
    let id = rand::random::<u32>() & 0x00ff_ffff;
    let run = Run::new(id, scenario, options.findings.unwrap_or(1000));
    let mut collectors: FuturesUnordered<Part> = FuturesUnordered::new();
    for number in 0..run.scenario.collectors.len() {
        let collector = options.client.collector(&run, number).await.map_err(|error| RunError::Connect {
            address: run.scenario.collectors[number].target.address(),
            who: format!("collector of {}", run.scenario.collectors[number].filter),
            error,
        })?;
        collectors.push(collector);
    }
    let mut senders = connect(&run, options.client, &mut collectors).await?;
    run.clock.set(Clock::start());
    run.enter(Phase::Sending);

    let replicas = Rc::new(Cell::new(None));
    let handle = Handle { run: run.clone(), replicas: replicas.clone() };
    let mut beside: Pin<Box<dyn Future<Output = ()>>> = match options.beside.take() {
        Some(make) => Box::pin(futures::FutureExt::fuse(make(handle))),
        None => Box::pin(std::future::pending()),
    };
    let mut stop: Pin<Box<dyn Future<Output = ()>>> =
        options.stop.take().unwrap_or_else(|| Box::pin(std::future::pending()));
    let mut watch = Watch::new(&run);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut stopped, mut besides) = (false, true);
    loop {
        tokio::select! {
            biased;
            Some(()) = senders.next(), if !senders.is_empty() => {
                if senders.is_empty() {
                    watch.sent(&run);
                }
            }
            Some(()) = collectors.next(), if !collectors.is_empty() => {}
            () = &mut beside, if besides => besides = false,
            () = &mut stop, if !stopped => {
                stopped = true;
                run.book.borrow_mut().event(run.now(), "note", "stopped by hand");
                run.enter(Phase::Draining);
            }
            _ = tick.tick() => {
                let snapshot = watch.look(&run, senders.len(), replicas.get());
                if let Some(live) = &mut options.live {
                    live(&snapshot);
                }
                if watch.over(&run, senders.is_empty()) {
                    break;
                }
            }
        }
    }
    drop(beside);
    let seconds = run.now();
    run.enter(Phase::Ended);
    let goodbye = async {
        while senders.next().await.is_some() {}
        while collectors.next().await.is_some() {}
    };
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    Ok(results(&run, watch, seconds, machine, started, options.client))
}

/// Connects all clients, some at a time; collectors go on meanwhile.
async fn connect(
    run: &Rc<Run>,
    with: Client,
    collectors: &mut FuturesUnordered<Part>,
) -> Result<FuturesUnordered<Part>, RunError> {
    let senders: FuturesUnordered<Part> = FuturesUnordered::new();
    let mut to_connect = Vec::new();
    for (number, stream) in run.scenario.streams.iter().enumerate() {
        for client in 0..stream.pace.clients {
            match &stream.kind {
                Kind::Mqtt(_) => to_connect.push((number, client)),
                Kind::Http(_) => senders.push(Box::pin(Requester::new(run.clone(), number, client).run())),
            }
        }
    }
    let connecting = to_connect.into_iter().map(|(number, client)| async move {
        with.publisher(run, number, client).await.map_err(|error| RunError::Connect {
            address: run.scenario.streams[number].kind.mqtt().target.address(),
            who: format!("publisher {} of {}", client + 1, run.scenario.streams[number].name),
            error,
        })
    });
    let mut connecting = futures::stream::iter(connecting).buffer_unordered(AT_ONCE);
    loop {
        tokio::select! {
            one = connecting.next() => match one {
                Some(Ok(publisher)) => senders.push(publisher),
                Some(Err(error)) => return Err(error),
                None => break,
            },
            Some(()) = collectors.next(), if !collectors.is_empty() => {}
        }
    }
    Ok(senders)
}

/// What the run sees of itself.
struct Watch {
    gauge: Gauge,
    steps: Steps,
    busy_max: f64,
    busy_slots: (u32, u32),
    ends: f64,
    /// When the last was sent and all was out.
    complete: Option<f64>,
    sent_until: f64,
}

impl Watch {
    fn new(run: &Run) -> Watch {
        Watch {
            gauge: Gauge::new(run.now()),
            steps: Steps::new(&run.scenario),
            busy_max: 0.0,
            busy_slots: (0, 0),
            ends: ends(&run.scenario),
            complete: None,
            sent_until: 0.0,
        }
    }

    fn look(&mut self, run: &Run, senders: usize, replicas: Option<u32>) -> Snapshot {
        let now = run.now();
        let busy = self.gauge.busy(now);
        let wanted = if run.phase() == Phase::Sending {
            run.scenario.streams.iter().map(|stream| stream.pace.wanted_at(now)).sum()
        } else {
            0.0
        };
        let mut book = run.book.borrow_mut();
        book.timeline.gauge((now * 1000.0) as u64, wanted, busy, replicas);
        if run.phase() == Phase::Sending {
            self.busy_max = self.busy_max.max(busy);
            self.busy_slots.0 += u32::from(busy > BUSY);
            self.busy_slots.1 += 1;
            if self.steps.look(now, &mut book) || now >= self.ends || senders == 0 {
                self.sent(run);
            }
        }
        Snapshot::of(run, &book, now, self.ends, wanted, busy, replicas)
    }

    /// All was sent. A run of a number of messages ends here and not with the next tick: its rate would be that of whole ticks.
    fn sent(&mut self, run: &Run) {
        if run.phase() == Phase::Sending {
            self.sent_until = run.now();
            run.enter(Phase::Draining);
        }
    }

    /// True when nothing more is expected, or was waited for long enough.
    fn over(&mut self, run: &Run, sent: bool) -> bool {
        if run.phase() < Phase::Draining {
            return false;
        }
        let now = run.now();
        let book = run.book.borrow();
        let followed = run.scenario.collectors.iter().all(|collect| collect.all);
        if sent && followed && book.tracker.outstanding() == 0 {
            return now - *self.complete.get_or_insert(now)
                >= if run.scenario.collectors.is_empty() { 0.0 } else { AFTERWARDS };
        }
        self.complete = None;
        now - book.last.max(self.sent_until) >= run.scenario.drain.as_secs_f64()
    }
}

fn results(
    run: &Run,
    watch: Watch,
    seconds: f64,
    machine: Machine,
    started: jiff::Timestamp,
    client: Client,
) -> Results {
    let mut book = run.book.borrow_mut();
    let (totals, findings) = book.tracker.finish();
    let scenario = &run.scenario;
    let collected = !scenario.collectors.is_empty()
        || scenario.streams.iter().any(|stream| matches!(&stream.kind, Kind::Http(http) if http.answers));
    let latencies = if collected { &book.latency } else { &book.confirm };
    let latency = latencies.percentiles();
    let counted = if collected { totals.received } else { totals.confirmed };
    let rate = counted as f64 / book.last.max(watch.sent_until).max(1e-3);
    let late_p99_ms = book.late.percentiles().p99;
    let busy = f64::from(watch.busy_slots.0) / f64::from(watch.busy_slots.1.max(1));
    let why = if busy > 0.25 {
        format!("the generator's core was fully used in {:.0} % of the time: use several generators", busy * 100.0)
    } else if late_p99_ms > LATE_MS {
        format!(
            "one message in 100 went out {late_p99_ms:.0} ms late or more by the generator's own fault: is the machine busy with other work?"
        )
    } else {
        String::new()
    };
    let streams = scenario.streams.iter().zip(&book.streams).map(|(stream, count)| StreamResult {
        name: stream.name.clone(),
        kind: if matches!(stream.kind, Kind::Mqtt(_)) { "mqtt" } else { "http" }.to_owned(),
        qos: if let Kind::Mqtt(mqtt) = &stream.kind { Some(mqtt.qos as u8) } else { None },
        clients: stream.pace.clients,
        sent: count.sent,
        confirmed: count.confirmed,
        errors: count.errors,
    });
    let checked = |threshold: &crate::measure::Threshold| {
        let value = threshold.metric().of(&totals, &latency, rate);
        CheckedThreshold {
            threshold: threshold.to_string(),
            value,
            shown: threshold.metric().show(value),
            passed: threshold.holds(value, totals.sent as f64, 0.0),
        }
    };
    Results {
        format: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        client: client.name().to_owned(),
        name: scenario.name.clone(),
        scenario: scenario.text.clone(),
        seed: scenario.seed,
        started: format!("{started:.0}"),
        seconds: (seconds * 1000.0).round() / 1000.0,
        machine,
        totals,
        rate: (rate * 10.0).round() / 10.0,
        latency,
        confirm: book.confirm.percentiles(),
        bars: latencies.bars(),
        streams: streams.collect(),
        timeline: book.timeline.points((seconds * 1000.0) as u64),
        point_s: book.timeline.slot_ms() as f64 / 1000.0,
        events: book.events.clone(),
        steps: watch.steps.results,
        notes: notes(&totals),
        findings,
        errors: book.errors.clone(),
        thresholds: scenario.thresholds.iter().map(checked).collect(),
        generator: Generator {
            limit: !why.is_empty(),
            why,
            busy_max: (watch.busy_max * 100.0).round() / 100.0,
            busy_mean: (watch.gauge.mean(seconds) * 100.0).round() / 100.0,
            late_p99_ms,
            memory_mib: peak_memory_mib(),
        },
    }
}

/// What the counts alone would tell wrongly.
fn notes(totals: &Totals) -> Vec<String> {
    let mut notes = Vec::new();
    if totals.lost_at_qos0 > 0 {
        notes.push(format!(
            "{} of the lost messages were sent or expected at QoS 0, which promises nothing: a broker drops them when the \
             queue of a subscriber is full, so this is no proof against the flow. Ask the broker's metrics, send fewer a \
             second, or use qos = 1",
            group_digits(totals.lost_at_qos0)
        ));
    }
    if totals.unrouted > 0 {
        notes.push(format!(
            "{} messages were acknowledged by a broker that had no subscriber for them (reason 0x10): nobody could take them. Was \
             the flow subscribed yet, and to these topics?",
            group_digits(totals.unrouted)
        ));
    }
    if totals.untimed > 0 {
        notes.push(format!(
            "{} outputs have no latency: more messages were on the way at once than due times are kept for",
            group_digits(totals.untimed)
        ));
    }
    notes
}
