//! From the death or stop of a replica to the next answer: the longest that a message or a request had to wait.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use flotilla_load::report::Results;
use flotilla_load::run::{Options, run as run_load};
use flotilla_load::scenario::{Broker, Expect, Faults, Pace, Publish, Rate, Request, Scenario, Span};

use super::group::Group;
use super::table::{Measure, Plan, Section, by_turns, cost};

const MQTT: &str = include_str!("../../flows/mqtt-path.json");
const HTTP: &str = include_str!("../../flows/http-path.json");

fn span(seconds: f64) -> Option<Span> {
    Some(Span(Duration::from_secs_f64(seconds)))
}

/// Runs a scenario against a group, with one fault after a second.
fn with_fault(mut scenario: Scenario, group: &Group, kind: &str) -> anyhow::Result<Results> {
    scenario.duration = span(4.0);
    scenario.drain = span(30.0);
    let faults = Faults {
        kinds: vec![kind.to_owned()],
        after: span(1.0),
        every: span(600.0),
        pause: span(30.0),
        seed: Some(1),
        ..Faults::default()
    };
    let beside = flotilla_load::faults::schedule(&format!("up:{}", group.data.display()), &faults, 1)?;
    let options = Options { beside: Some(beside), ..Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = runtime.block_on(run_load(scenario.check(String::new())?, options))?;
    ensure!(results.events.iter().any(|event| event.kind == "fault"), "the fault was not done: {:?}", results.events);
    Ok(results)
}

/// Three replicas and 50 topics.
fn messages(dir: &Path, kind: &str) -> anyhow::Result<Vec<f64>> {
    let flow = MQTT.replace("\"INPUT\"", "\"in/+\"").replace("OUTPUT", "out").replace("PROTOCOL", "5");
    let group = Group::start(dir, &flow, 3, &[])?;
    let scenario = Scenario {
        mqtt: Some(Broker { url: group.mqtt.to_string(), ..Broker::default() }),
        publish: vec![Publish {
            topic: "in/{1..50}".into(),
            pace: Pace { rate: Some(Rate::Number(200.0)), ..Pace::default() },
            ..Publish::default()
        }],
        expect: vec![Expect { topic: "out".into(), ..Expect::default() }],
        ..Scenario::default()
    };
    let results = with_fault(scenario, &group, kind)?;
    let which: Vec<String> = results.findings.lost.iter().map(|lost| format!("{} {}", lost.key, lost.seq)).collect();
    let (lost, notes) = (results.totals.lost, &results.notes);
    ensure!(lost == 0, "{lost} messages were lost (topic and number: {}); {notes:?}", which.join(", "));
    Ok(vec![results.latency.max])
}

/// Three replicas and 20 connections.
fn requests(dir: &Path, kind: &str) -> anyhow::Result<Vec<f64>> {
    let group = Group::start(dir, HTTP, 3, &[])?;
    let scenario = Scenario {
        request: vec![Request {
            url: format!("http://{}/hello/world", group.http),
            pace: Pace { rate: Some(Rate::Number(200.0)), clients: Some(20), ..Pace::default() },
            ..Request::default()
        }],
        ..Scenario::default()
    };
    let results = with_fault(scenario, &group, kind)?;
    ensure!(results.totals.errors == 0, "{} requests failed: {:?}", results.totals.errors, results.errors);
    Ok(vec![results.latency.max])
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    section.about = "`flotilla up` with three replicas and its defaults (lease 5 s), 200 messages or requests a second for 4 s; after \
                     one second a replica gets the signal. The value is the longest that any message or request took, those that the \
                     replica held included; a round in which one was lost or failed counts as not got through. Node-RED has no second \
                     process that would go on."
        .to_owned();
    for (signal, kind) in [("kill -9", "kill"), ("SIGSTOP", "stop")] {
        let sides: [(&str, Measure<'_>); 2] = [
            ("messages", Box::new(|| messages(tempfile::tempdir_in(dir)?.path(), kind))),
            ("requests", Box::new(|| requests(tempfile::tempdir_in(dir)?.path(), kind))),
        ];
        for (what, measure) in sides {
            let side = vec![("Flotilla".to_owned(), measure)];
            section.cases.extend(by_turns(plan, &format!("{signal}, {what}"), &[cost("ms, the longest wait")], side));
        }
    }
    Ok(())
}
