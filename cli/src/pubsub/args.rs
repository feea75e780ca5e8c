//! What `flotilla pub` and `flotilla sub` take.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Broker and user.
#[derive(Args, Clone, Debug)]
pub struct ConnectArgs {
    /// Host of the broker
    #[arg(short = 'h', long, default_value = "127.0.0.1", value_name = "HOST")]
    pub host: String,
    /// Port of the broker [default: 1883, with TLS 8883]
    #[arg(short = 'p', long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Broker and topic in one: mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC, or mqtts://
    #[arg(short = 'L', long, conflicts_with_all = ["host", "port", "user", "password"], value_name = "URL")]
    pub url: Option<String>,
    /// User name
    #[arg(short = 'u', long = "username", value_name = "NAME")]
    pub user: Option<String>,
    /// Password
    #[arg(short = 'P', long = "pw", env = "FLOTILLA_MQTT_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// ClientID [default: a unique one]
    #[arg(short = 'i', long = "id", value_name = "ID")]
    pub id: Option<String>,
    /// Prefix of a ClientID whose rest is random
    #[arg(short = 'I', long = "id-prefix", conflicts_with = "id", value_name = "PREFIX")]
    pub id_prefix: Option<String>,
    /// Protocol: 5 or mqttv5, 311 or mqttv311
    #[arg(short = 'V', long = "protocol-version", default_value = "5", value_name = "VERSION")]
    pub version: String,
    /// Keep alive in seconds, at least 5
    #[arg(short = 'k', long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(5..))]
    pub keepalive: u16,
    /// Keep the session at the broker when this ends; needs --id
    #[arg(short = 'c', long = "disable-clean-session", requires = "id")]
    pub keep_session: bool,
    /// Seconds that the session outlives the connection (MQTT 5)
    #[arg(short = 'x', long = "session-expiry-interval", value_name = "SECONDS")]
    pub session_expiry: Option<u32>,
    /// QoS
    #[arg(short = 'q', long, default_value_t = 0, value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,
    /// Most un-acknowledged publishes
    #[arg(short = 'M', long = "max-inflight", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_inflight: Option<u16>,
    /// PEM file with the trusted certificate authorities; turns TLS on
    #[arg(long, value_name = "FILE")]
    pub cafile: Option<PathBuf>,
    /// PEM file with the client's certificate
    #[arg(long, requires = "key", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// PEM file with the client's key
    #[arg(long, requires = "cert", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// TLS that accepts any certificate: for tests only
    #[arg(long)]
    pub insecure: bool,
    /// TLS with the certificate authorities of the web
    #[arg(long)]
    pub tls: bool,
    /// MQTT 5 property; may be repeated: -D publish user-property NAME VALUE, -D publish content-type TYPE
    #[arg(short = 'D', long = "property", num_args = 3..=4, action = ArgAction::Append, value_names = ["PACKET", "PROPERTY", "VALUE"])]
    pub property: Vec<String>,
    /// Topic of the will
    #[arg(long, value_name = "TOPIC")]
    pub will_topic: Option<String>,
    /// Payload of the will
    #[arg(long, requires = "will_topic", value_name = "TEXT")]
    pub will_payload: Option<String>,
    /// QoS of the will
    #[arg(long, default_value_t = 0, requires = "will_topic", value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub will_qos: u8,
    /// The will is retained
    #[arg(long, requires = "will_topic")]
    pub will_retain: bool,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// What `flotilla pub` takes.
#[derive(Args, Clone, Debug)]
#[command(
    disable_help_flag = true,
    disable_version_flag = true,
    group = clap::ArgGroup::new("source").required(true).args(["message", "file", "lines", "null", "stdin"]),
    after_help = "Examples:\n  flotilla pub -t plant/press-1/temperature -m '{\"value\":21.5}' -q 1\n  seq 100 | flotilla pub -t numbers -l -q 1"
)]
pub struct PubArgs {
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Topic
    #[arg(short = 't', long, required_unless_present = "url", value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Payload
    #[arg(short = 'm', long, allow_hyphen_values = true, value_name = "TEXT")]
    pub message: Option<String>,
    /// Payload: a file
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// One message per line of standard input
    #[arg(short = 'l', long = "stdin-line")]
    pub lines: bool,
    /// An empty payload
    #[arg(short = 'n', long = "null-message")]
    pub null: bool,
    /// Payload: all of standard input
    #[arg(short = 's', long = "stdin-file")]
    pub stdin: bool,
    /// Retained
    #[arg(short = 'r', long)]
    pub retain: bool,
    /// Publish it this many times
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub repeat: u64,
    /// Seconds between repeats
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub repeat_delay: f64,
}

/// What `flotilla sub` takes.
#[derive(Args, Clone, Debug)]
#[command(
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = "Examples:\n  flotilla sub -t 'plant/#' -v\n  flotilla sub -t alarms/# -C 1 -W 10\n\nExit code: 0, or 27 when -W ended it."
)]
pub struct SubArgs {
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Topic filter; may be repeated
    #[arg(short = 't', long, required_unless_present = "url", value_name = "FILTER")]
    pub topic: Vec<String>,
    /// End after this many messages
    #[arg(short = 'C', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// End after this many seconds
    #[arg(short = 'W', value_name = "SECONDS")]
    pub timeout: Option<f64>,
    /// Print the topic before the payload
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// No newline after a payload
    #[arg(short = 'N')]
    pub no_newline: bool,
    /// Leave out retained messages
    #[arg(short = 'R', conflicts_with = "retained_only")]
    pub no_retained: bool,
    /// Print retained messages only
    #[arg(long)]
    pub retained_only: bool,
    /// Leave out messages whose topic matches this filter; may be repeated
    #[arg(short = 'T', long, value_name = "FILTER")]
    pub filter_out: Vec<String>,
    /// How a message is printed: %t topic, %p payload, %x payload in hex, %l length, %q QoS, %r retained, %m packet
    /// identifier, %U time, %j all as JSON, %C content type, %R response topic, %P user properties
    #[arg(short = 'F', long, conflicts_with = "verbose", value_name = "FORMAT")]
    pub format: Option<String>,
    /// End when the broker has accepted the subscriptions
    #[arg(short = 'E')]
    pub exit_when_subscribed: bool,
}
