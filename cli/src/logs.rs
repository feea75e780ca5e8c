//! `flotilla logs`: the lines of all replicas as one log.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use flotilla_api::log::{LogCursor, LogFilter, LogLevel, LogLine};
use flotilla_api::node::Unanswered;
use flotilla_api::{Client, ClientError};
use jiff::Timestamp;

use crate::client::GroupArgs;
use crate::exit::{Exit, Failure};
use crate::logging;
use crate::plain;
use crate::plain::print;

/// How long it waits before it asks again, when the gateway went away.
const AGAIN: Duration = Duration::from_secs(1);
/// Lines in one question.
const PAGE: usize = 5_000;

/// What `flotilla logs` takes.
#[derive(Args, Debug)]
pub struct LogsArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Only lines of this replica
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    replica: String,
    /// Only lines about this node, by its id or its name
    #[arg(long, value_name = "NODE", default_value = "", hide_default_value = true)]
    node: String,
    /// Only lines about nodes of this tab, by its id or its name
    #[arg(long, value_name = "TAB", default_value = "", hide_default_value = true)]
    tab: String,
    /// Only lines of at least this level: error, warn, info, debug
    #[arg(long, value_name = "LEVEL")]
    level: Option<LogLevel>,
    /// Only lines since 10m, 2h or 3d ago, or since a time such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<u64>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<u64>,
    /// Only lines that contain this text, ignoring case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    grep: String,
    /// How many of the newest lines [default: 200; with --since: all]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: Option<u32>,
    /// Continue after this cursor, which --json shows
    #[arg(long, value_name = "CURSOR")]
    after: Option<LogCursor>,
    /// Follow until Ctrl-C; with --json one object per line
    #[arg(long, short)]
    follow: bool,
}

/// Prints lines.
pub async fn run(args: LogsArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let filter = LogFilter {
        replica: args.replica.clone(),
        node: args.node.clone(),
        tab: args.tab.clone(),
        level: args.level,
        since: args.since,
        until: args.until,
        grep: args.grep.clone(),
    };
    match args.follow {
        true => follow(&args, &client, &filter).await,
        false => once(&args, &client, &filter).await,
    }
}

async fn once(args: &LogsArgs, client: &Client, filter: &LogFilter) -> anyhow::Result<ExitCode> {
    let group = &args.group.group;
    // With a beginning all that follows is wanted: page by page, from the first line on.
    let all = args.lines.is_none() && (args.since.is_some() || args.after.is_some());
    let mut after = args.after.clone().or_else(|| all.then(LogCursor::default)).map(|cursor| cursor.to_string());
    let limit = if all { PAGE } else { args.lines.map_or(200, |lines| lines as usize) };
    loop {
        let page = client.logs(group, filter, after.as_deref(), limit).await?;
        if args.group.admin.json {
            page.lines.iter().for_each(|line| print(&logging::json(line)));
        } else {
            page.lines.iter().for_each(show);
        }
        if all && page.more {
            after = Some(page.cursor);
            continue;
        }
        page.unanswered.iter().for_each(unanswered);
        if args.group.admin.json {
            eprintln!("cursor {}", plain::one_line(&page.cursor));
        }
        return Ok(ExitCode::SUCCESS);
    }
}

async fn follow(args: &LogsArgs, client: &Client, filter: &LogFilter) -> anyhow::Result<ExitCode> {
    let (group, limit) = (&args.group.group, args.lines.map_or(20, |lines| lines as usize));
    let mut cursor = args.after.clone();
    loop {
        let after = cursor.as_ref().map(LogCursor::to_string);
        let why = match client.follow_logs(group, filter, after.as_deref(), limit).await {
            Ok(mut events) => loop {
                match events.next().await {
                    Ok(Some(event)) => match &*event.name {
                        "log" => {
                            let line: LogLine =
                                serde_json::from_str(&event.data).context("cannot read a line of the stream")?;
                            cursor.get_or_insert_default().pass(&line);
                            match args.group.admin.json {
                                true => print(&logging::json(&line)),
                                false => show(&line),
                            }
                        }
                        "cursor" => {
                            let behind: LogCursor = event.data.parse().map_err(anyhow::Error::msg)?;
                            cursor.get_or_insert_default().join(&behind);
                        }
                        "unanswered" => unanswered(&serde_json::from_str(&event.data)?),
                        "answers" => {
                            let again: Unanswered = serde_json::from_str(&event.data)?;
                            eprintln!("{}", plain::one_line(&format!("! {} answers again", again.replica)));
                        }
                        _ => {}
                    },
                    Ok(None) => break "the gateway ended the stream".to_owned(),
                    Err(error) => break error.to_string(),
                }
            },
            Err(error @ ClientError::Refused(_)) => return Err(error.into()),
            Err(error) if cursor.is_none() => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        // Behind the last line that was shown it goes on, at this gateway or at the next.
        eprintln!("{}", plain::one_line(&format!("! {why}; asks again")));
        tokio::time::sleep(AGAIN).await;
    }
}

fn show(line: &LogLine) {
    print(&logging::text(line, logging::stdout_has_colours()));
}

/// On standard error: it is no line of the log.
fn unanswered(unanswered: &Unanswered) {
    eprintln!("{}", plain::one_line(&format!("! {} does not answer: {}", unanswered.replica, unanswered.reason)));
}

/// A time ago, or a moment, as milliseconds since the epoch.
fn time(text: &str) -> Result<u64, Failure> {
    let bad =
        || Failure::new(Exit::Usage, format!("\"{text}\" is not a time: use 10m, 2h, 3d, or 2026-01-31T08:00:00Z"));
    let now = Timestamp::now().as_millisecond();
    let ms = match text.char_indices().last().map(|(at, unit)| (text[..at].parse::<f64>(), unit)) {
        Some((Ok(number), unit @ ('s' | 'm' | 'h' | 'd'))) if number >= 0.0 => {
            let seconds = match unit {
                's' => 1.0,
                'm' => 60.0,
                'h' => 3_600.0,
                _ => 86_400.0,
            };
            now - (number * seconds * 1000.0) as i64
        }
        _ => text.parse::<Timestamp>().map_err(|_| bad())?.as_millisecond(),
    };
    u64::try_from(ms).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_or_some_time_ago() {
        let now = Timestamp::now().as_millisecond() as u64;
        assert!(now - time("10m").unwrap() - 600_000 < 60_000);
        assert_eq!(time("1970-01-01T00:00:01Z").unwrap(), 1_000);
        assert!(time("yesterday").is_err() && time("-5m").is_err() && time("").is_err());
    }
}
