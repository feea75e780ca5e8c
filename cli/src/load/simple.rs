//! A scenario from flags.

use anyhow::{Context, bail, ensure};
use flotilla_load::scenario::{Broker, Expect, Pace, Publish, Rate, Request, Scenario, Steps};

use super::args::SimpleArgs;

/// True when a flag of the simple scenario was given.
pub fn given(args: &SimpleArgs) -> bool {
    args.mqtt.is_some() || args.topic.is_some() || args.http.is_some() || args.rate.is_some() || !args.expect.is_empty()
}

/// The scenario.
///
/// # Errors
/// When flags do not fit together.
pub fn scenario(args: &SimpleArgs) -> anyhow::Result<Scenario> {
    ensure!(
        args.topic.is_some() || args.http.is_some(),
        "nothing to send: give a scenario file, or --mqtt and --topic, or --http"
    );
    ensure!(
        args.mqtt.is_some() || (args.topic.is_none() && args.expect.is_empty()),
        "--topic and --expect need --mqtt HOST:PORT"
    );
    let pace = pace(args)?;
    let mut scenario = Scenario { name: "flags".to_owned(), ..Scenario::default() };
    scenario.mqtt = args.mqtt.as_ref().map(|url| Broker {
        url: url.clone(),
        version: args.mqtt_version,
        user: args.user.clone(),
        password: args.password.clone(),
        ca: args.ca.clone(),
        cert: args.cert.clone(),
        key: args.key.clone(),
        insecure: args.insecure,
        keep_alive: None,
    });
    if let Some(topic) = &args.topic {
        scenario.name.clone_from(topic);
        scenario.publish.push(Publish {
            topic: topic.clone(),
            qos: args.qos,
            retain: args.retain,
            payload: args.payload.clone(),
            csv: args.csv.clone(),
            window: args.window,
            pace: pace.clone(),
            ..Publish::default()
        });
    }
    if let Some(url) = &args.http {
        let mut headers = std::collections::BTreeMap::new();
        for header in &args.header {
            let (name, value) =
                header.split_once(':').with_context(|| format!("--header \"{header}\" is not NAME: VALUE"))?;
            headers.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        scenario.name = flotilla_flows::shown_url(url);
        scenario.request.push(Request {
            url: url.clone(),
            method: args.method.clone(),
            headers,
            body: args.body.clone(),
            csv: args.csv.clone(),
            keep_alive: Some(!args.no_keep_alive),
            ca: args.ca.clone(),
            insecure: args.insecure,
            // With outputs to wait for, the answers alone do not show them.
            outputs: !args.expect.is_empty() && args.topic.is_none(),
            pace,
            ..Request::default()
        });
    }
    scenario.expect = args
        .expect
        .iter()
        .map(|topic| Expect {
            topic: topic.clone(),
            qos: args.qos,
            sequence: args.expect_sequence.clone(),
            key: args.expect_key.clone(),
            all: Some(!args.expect_some),
            ..Expect::default()
        })
        .collect();
    Ok(scenario)
}

fn pace(args: &SimpleArgs) -> anyhow::Result<Pace> {
    Ok(Pace {
        rate: args.rate.clone().map(Rate::Text),
        clients: args.clients,
        ramp: args.ramp,
        steps: args.steps.as_deref().map(steps).transpose()?,
        think: args.think,
        count: args.count,
        ..Pace::default()
    })
}

fn steps(text: &str) -> anyhow::Result<Steps> {
    let parts = || {
        let (from, rest) = text.split_once("..")?;
        let (to, rest) = rest.split_once('+')?;
        let (by, every) = rest.split_once('@')?;
        Some((from.parse().ok()?, to.parse().ok()?, by.parse().ok()?, every.parse().ok()?))
    };
    match parts() {
        Some((from, to, by, every)) => Ok(Steps { from, by, to, every, until: Vec::new() }),
        None => bail!("--steps \"{text}\" is not FROM..TO+BY@TIME, for example 1000..20000+1000@10s"),
    }
}
