//! The load generator, inside a test: numbered messages, and what became of each.

use std::path::Path;

use flotilla_load::report::Results;
use flotilla_load::run::{Client, Options, run};
use flotilla_load::scenario::{Broker, Expect, Faults, Pace, Publish, Rate, Scenario, Span};

/// Messages at QoS 1 to a flow, and what it sends back.
#[derive(Clone, Debug)]
pub struct Load {
    /// The broker.
    pub broker: std::net::SocketAddr,
    /// Topics to publish to.
    pub topic: String,
    /// Where outputs come.
    pub outputs: String,
    /// Messages a second.
    pub rate: f64,
    /// Seconds.
    pub seconds: u64,
    /// How long to wait for what is missing.
    pub drain: u64,
    /// Clients.
    pub clients: usize,
}

impl Load {
    /// The scenario.
    pub fn scenario(&self, seed: u64) -> Scenario {
        let span = |seconds: u64| Some(Span(std::time::Duration::from_secs(seconds)));
        Scenario {
            name: format!("seed {seed}"),
            seed,
            duration: span(self.seconds),
            drain: span(self.drain),
            mqtt: Some(Broker { url: self.broker.to_string(), ..Broker::default() }),
            publish: vec![Publish {
                topic: self.topic.clone(),
                pace: Pace { rate: Some(Rate::Number(self.rate)), clients: Some(self.clients), ..Pace::default() },
                ..Publish::default()
            }],
            expect: vec![Expect { topic: self.outputs.clone(), ..Expect::default() }],
            ..Scenario::default()
        }
    }

    /// Runs it without faults.
    pub fn run(&self) -> anyhow::Result<Results> {
        run_scenario(&self.scenario(0), None)
    }
}

/// Runs any scenario on a thread's own runtime.
pub fn run_scenario(scenario: &Scenario, faults: Option<(&Faults, &Path)>) -> anyhow::Result<Results> {
    run_scenario_with(scenario, faults, Client::Flotilla)
}

/// The same with a client.
pub fn run_scenario_with(
    scenario: &Scenario,
    faults: Option<(&Faults, &Path)>,
    client: Client,
) -> anyhow::Result<Results> {
    let checked = scenario.check(String::new())?;
    let mut options = Options { findings: Some(100_000), client, ..Options::default() };
    if let Some((faults, data)) = faults {
        let group = format!("up:{}", data.display());
        options.beside = Some(flotilla_load::faults::schedule(&group, faults, scenario.seed)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(run(checked, options))?)
}
