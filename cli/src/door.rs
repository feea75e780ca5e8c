//! What the front door takes and how long it waits: the same for `flotilla gateway` and `flotilla up`.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use flotilla_gateway::balancer::{Deadlines, Network, Pace, Protection, RouteDeadline};

/// Bounds of the front door.
#[derive(Args, Clone, Debug)]
pub struct DoorArgs {
    /// Seconds that a request waits for a ready replica before the answer is 503 [default: 5; with `up`: 20]
    #[arg(long, env = "FLOTILLA_PATIENCE", value_name = "SECONDS")]
    pub patience: Option<f64>,
    /// Seconds to connect to a replica before the next one is tried
    #[arg(long, env = "FLOTILLA_CONNECT_TIMEOUT", default_value_t = 1.0, value_name = "SECONDS")]
    pub connect_timeout: f64,
    /// Seconds that a flow has to answer a request before the answer is 504
    #[arg(long, env = "FLOTILLA_ANSWER_TIMEOUT", default_value_t = 130.0, value_name = "SECONDS")]
    pub answer_timeout: f64,
    /// Another answer time-out for a path, or with a trailing * for all with this prefix; may be repeated
    #[arg(long, env = "FLOTILLA_ROUTE_TIMEOUT", value_delimiter = ',', value_name = "PATH=SECONDS")]
    pub route_timeout: Vec<RouteDeadline>,
    /// Seconds that a client's connection stays open without a request
    #[arg(long, env = "FLOTILLA_IDLE_TIMEOUT", default_value_t = 30.0, value_name = "SECONDS")]
    pub idle_timeout: f64,
    /// Seconds to wait for a request's body, in addition to its transfer time at 4 KiB a second
    #[arg(long, env = "FLOTILLA_BODY_TIMEOUT", default_value_t = 20.0, value_name = "SECONDS")]
    pub body_timeout: f64,
    /// Most client connections; further ones are answered 503
    #[arg(long, env = "FLOTILLA_MAX_CONNECTIONS", default_value_t = 20_000, value_name = "N")]
    pub max_connections: usize,
    /// Path of the flow's HTTP nodes that requires a token (`flotilla token new --call`), or with a trailing * all with this prefix;
    /// may be repeated
    #[arg(long, env = "FLOTILLA_PROTECT", value_delimiter = ',', value_name = "PATH", value_parser = path)]
    pub protect: Vec<String>,
    /// Path below those of --protect that requires no token
    #[arg(long, env = "FLOTILLA_OPEN", value_delimiter = ',', value_name = "PATH", value_parser = path)]
    pub open: Vec<String>,
    /// Proxies in front of this one whose X-Forwarded-* and Forwarded headers are trusted; those of others are replaced
    #[arg(long, env = "FLOTILLA_TRUST_PROXY", value_delimiter = ',', value_name = "CIDR")]
    pub trust_proxy: Vec<Network>,
}

fn path(text: &str) -> Result<String, String> {
    match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => Err(format!("\"{text}\" is not a path: write for example /orders or /orders/*")),
    }
}

impl DoorArgs {
    /// Which paths ask for a credential.
    pub fn protection(&self) -> Protection {
        Protection { protect: self.protect.clone(), open: self.open.clone() }
    }

    /// The deadlines; `failfast` unless `--patience` was given.
    pub fn deadlines(&self, failfast: Duration) -> anyhow::Result<Deadlines> {
        let seconds = |flag: &str, value: f64| {
            Duration::try_from_secs_f64(value)
                .with_context(|| format!("{flag} {value}: use a number of seconds, 0 or more"))
        };
        let defaults = Deadlines::default();
        Ok(Deadlines {
            connect: seconds("--connect-timeout", self.connect_timeout)?,
            failfast: self.patience.map_or(Ok(failfast), |patience| seconds("--patience", patience))?,
            answer: seconds("--answer-timeout", self.answer_timeout)?,
            routes: self.route_timeout.clone(),
            idle: seconds("--idle-timeout", self.idle_timeout)?,
            body: Pace { grace: seconds("--body-timeout", self.body_timeout)?, ..defaults.body },
            ..defaults
        })
    }
}
