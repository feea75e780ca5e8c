//! What `flotilla load` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use flotilla_load::scenario::Span;

/// What `flotilla load` takes.
#[derive(Args, Clone, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  flotilla load day.toml --report day.html\n  flotilla load --mqtt 127.0.0.1:1883 --topic \
                  'plant/press-{1..50}/temperature' --rate 2000 --for 60s --expect 'alarms/#'\n  flotilla load --http \
                  http://127.0.0.1:1880/orders --body '{\"n\":{{seq}}}' --clients 20 --rate 500 --require 'p99 < \
                  50ms'\n  flotilla load compare before.json after.json --require 'p99 < +20%'\n\nExit code: 0 when \
                  every threshold holds, 1 when one does not, 2 when the run could not begin."
)]
pub struct LoadArgs {
    #[command(subcommand)]
    pub command: Option<LoadCommand>,
    /// The scenario file; without one, the flags below describe it
    #[arg(value_name = "SCENARIO.toml")]
    pub scenario: Option<PathBuf>,
    #[command(flatten)]
    pub simple: SimpleArgs,
    /// How long to send: 30s, 5m
    #[arg(long = "for", value_name = "TIME")]
    pub duration: Option<Span>,
    /// How long to wait for missing outputs after the last one [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub drain: Option<Span>,
    /// Seed of random payloads and fault schedules
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// A condition that sets the exit code; may be repeated: "lost = 0", "p99 < 50ms", "errors < 0.1%"
    #[arg(long, value_name = "CONDITION")]
    pub require: Vec<String>,
    /// The MQTT client that sends and collects: Flotilla's own, or rumqttc as a cross-check
    #[arg(long, value_enum, default_value = "flotilla", value_name = "CLIENT")]
    pub client: Client,
    /// Run the scenario's faults (or kill and stop) on this group: the data folder of a `flotilla up` (up:DIR), or a
    /// compose file (compose:FILE); no other group is touched
    #[arg(long, value_name = "GROUP")]
    pub faults: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// A scenario of one stream, as flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Simple scenario")]
pub struct SimpleArgs {
    /// The broker: mqtt://HOST:PORT, mqtts://HOST:PORT or HOST:PORT
    #[arg(long, value_name = "BROKER")]
    pub mqtt: Option<String>,
    /// Topics to publish to: 'plant/press-{1..50}/temperature'
    #[arg(long, value_name = "PATTERN")]
    pub topic: Option<String>,
    /// Topics of the flow's outputs
    #[arg(long, value_name = "FILTER")]
    pub expect: Vec<String>,
    /// Where the sequence number is in the outputs, if the flow keeps that of the payload ({{seq}}) and not the mark
    #[arg(long, value_name = "JSON PATH")]
    pub expect_sequence: Option<String>,
    /// Where the key is in the outputs
    #[arg(long, value_name = "JSON PATH")]
    pub expect_key: Option<String>,
    /// Some messages have no output
    #[arg(long)]
    pub expect_some: bool,
    /// Requests to this URL
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    /// Method of the requests [default: GET, or POST with --body]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// Body of the requests; a template
    #[arg(long, value_name = "TEMPLATE")]
    pub body: Option<String>,
    /// Header field of the requests; may be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// A connection for each request
    #[arg(long)]
    pub no_keep_alive: bool,
    /// Messages or requests per second, or "max" [default: 100]
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// Connections [default: 1]
    #[arg(long, value_name = "N")]
    pub clients: Option<usize>,
    /// Increase to the rate within this time
    #[arg(long, value_name = "TIME")]
    pub ramp: Option<Span>,
    /// Increase the rate in steps until a limit is reached: 1000..20000+1000@10s
    #[arg(long, value_name = "FROM..TO+BY@TIME")]
    pub steps: Option<String>,
    /// Each client waits for its answer, then this long
    #[arg(long, value_name = "TIME")]
    pub think: Option<Span>,
    /// End after this many messages
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// QoS of messages and outputs [default: 1]
    #[arg(long, value_name = "QOS")]
    pub qos: Option<u8>,
    /// Payload template: '{"value":{{random 20..80}},"n":{{seq}}}'
    #[arg(long, value_name = "TEMPLATE")]
    pub payload: Option<String>,
    /// CSV file whose columns the template uses: {{csv COLUMN}}
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Retained messages
    #[arg(long)]
    pub retain: bool,
    /// Most un-acknowledged publishes of one client [default: 100]
    #[arg(long, value_name = "N")]
    pub window: Option<u16>,
    /// Protocol: 5, or 4 for MQTT 3.1.1 [default: 5]
    #[arg(long, value_name = "VERSION")]
    pub mqtt_version: Option<u8>,
    /// User name at the broker
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Password at the broker
    #[arg(long, env = "FLOTILLA_LOAD_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// PEM file with the trusted certificate authorities
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// PEM file with the client's key
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Accept any certificate: for tests only
    #[arg(long)]
    pub insecure: bool,
}

/// Output of results.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Results")]
pub struct OutputArgs {
    /// Print the results as JSON, for `flotilla load compare`
    #[arg(long)]
    pub json: bool,
    /// Write a page with charts
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write JUnit XML, with a test case for each threshold
    #[arg(long, value_name = "FILE.xml")]
    pub junit: Option<PathBuf>,
    /// Show no progress while it runs
    #[arg(long)]
    pub quiet: bool,
}

/// The client that sends and collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// Flotilla's own client
    Flotilla,
    /// rumqttc
    Rumqttc,
}

#[derive(Subcommand, Clone, Debug)]
pub enum LoadCommand {
    /// Compare two results of --json; exit code 1 when a condition does not hold
    Compare(CompareArgs),
}

/// What `flotilla load compare` takes.
#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// The results before
    #[arg(value_name = "BEFORE.json")]
    pub before: PathBuf,
    /// The results now
    #[arg(value_name = "AFTER.json")]
    pub after: PathBuf,
    /// A condition; may be repeated: "p99 < +20%", "rate > -5%", "lost = 0"
    #[arg(long, value_name = "CONDITION")]
    pub require: Vec<String>,
    /// Write a page with both runs
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
}
