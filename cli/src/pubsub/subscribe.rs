//! Prints messages as they come.

use std::collections::HashSet;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use flotilla_load::rumqtt::{Arrived, Happening, Link};
use flotilla_mqtt::topic::matches;

use super::args::SubArgs;
use super::format::Format;
use super::options::connection;
use super::properties;

/// The exit code of `mosquitto_sub` when its time is over.
const TIMED_OUT: u8 = 27;
/// Between attempts to connect again.
const AGAIN: Duration = Duration::from_secs(1);

/// An acknowledgement for each message that can be in flight: one that had to wait for the connection would wait for ever, as
/// what polls it hands them over.
const QUEUE: usize = 1 << 17;

/// What is to be printed, and when to end.
struct Printer<'a> {
    args: &'a SubArgs,
    format: Format,
    terminal: bool,
    left: Option<u64>,
}

/// Runs until `-C`, `-W`, `-E` or a signal.
pub async fn run(args: SubArgs) -> anyhow::Result<ExitCode> {
    let time = args.timeout.map(Duration::try_from_secs_f64).transpose().context("-W must be 0 or more seconds")?;
    match time {
        Some(time) => match tokio::time::timeout(time, follow(&args)).await {
            Ok(ended) => ended,
            Err(_) => Ok(ExitCode::from(TIMED_OUT)),
        },
        None => follow(&args).await,
    }
}

async fn follow(args: &SubArgs) -> anyhow::Result<ExitCode> {
    let properties = properties::read(&args.connect.property)?;
    let connection = connection(&args.connect, &properties, QUEUE)?;
    let mut filters = args.topic.clone();
    filters.extend(connection.topic);
    ensure!(!filters.is_empty(), "no topic filter: give -t FILTER, or -L with one");
    let mut printer =
        Printer { args, format: Format::of(args)?, terminal: std::io::stdout().is_terminal(), left: args.count };
    let at = || format!("broker {}", connection.shown);
    let mut link = connection.link;
    // Subscriptions that are accepted to the last: with the first connection to go.
    let (mut accepted, mut before) = (0, false);
    // Acknowledged, and not finished yet.
    let mut open = HashSet::new();
    loop {
        let happening = match link.poll().await {
            Ok(happening) => happening,
            // Once it worked, a broker that is away for a while is waited for.
            Err(error) if before => {
                eprintln!("flotilla: {}: {error}; connects again", at());
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(error) => return Err(anyhow::Error::from(error).context(at())),
        };
        match happening {
            Happening::Connected { .. } => {
                open.clear();
                subscribe(&filters, args.connect.qos, &link).await?;
            }
            Happening::NotSubscribed(why) => bail!("{}: a subscription was refused: {why}", at()),
            Happening::Subscribed => {
                before = true;
                accepted += 1;
                if args.exit_when_subscribed && accepted == filters.len() {
                    return leave(link, open).await;
                }
            }
            Happening::Released(pkid) => {
                open.remove(&pkid);
            }
            Happening::Message(message) => {
                let more = printer.show(&message)?;
                if message.qos > 0 {
                    open.insert(message.pkid);
                    link.sender().ack(&message).await;
                }
                if !more {
                    return leave(link, open).await;
                }
            }
            _ => {}
        }
    }
}

/// Each connection anew: a clean session has forgotten it, and for a kept one it changes nothing.
async fn subscribe(filters: &[String], qos: u8, link: &Link) -> anyhow::Result<()> {
    let sender = link.sender();
    for filter in filters {
        sender.subscribe(filter, qos).await?;
    }
    Ok(())
}

/// Says goodbye when what was printed is acknowledged to the end, which at QoS 2 takes a PUBREL of the broker.
async fn leave(mut link: Link, mut open: HashSet<u16>) -> anyhow::Result<ExitCode> {
    let goodbye = async {
        while !open.is_empty() {
            if let Happening::Released(pkid) = link.poll().await? {
                open.remove(&pkid);
            }
        }
        link.sender().disconnect().await;
        while !matches!(link.poll().await?, Happening::Left) {}
        anyhow::Ok(())
    };
    // A broker that does not answer any more holds nobody up.
    let _ = tokio::time::timeout(AGAIN, goodbye).await;
    Ok(ExitCode::SUCCESS)
}

impl Printer<'_> {
    /// Prints a message that is wanted; false when it was the last, or nobody reads any more.
    fn show(&mut self, message: &Arrived) -> anyhow::Result<bool> {
        let args = self.args;
        if (message.retain && args.no_retained)
            || (!message.retain && args.retained_only)
            || args.filter_out.iter().any(|filter| matches(filter, &message.topic))
        {
            return Ok(true);
        }
        let mut line = Vec::new();
        self.format.write(&mut line, message);
        if self.terminal {
            line = plain(&String::from_utf8_lossy(&line)).into_bytes();
        }
        if !args.no_newline {
            line.push(b'\n');
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(&line).and_then(|()| out.flush()) {
            Ok(()) => {}
            // `| head` has what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(error).context("cannot write to standard output"),
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(self.left != Some(0))
    }
}

/// At a terminal, control characters of strangers are shown as replacement characters; in a pipe, bytes are bytes.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}
