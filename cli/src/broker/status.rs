//! `flotilla broker status`: share groups, members, shares and lag of a running broker.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use axum::routing::get;
use axum::{Json, Router};
use clap::Args;
use flotilla_broker::{GroupStatus, Status, Strategy, View};

use crate::client::probe;
use crate::plain::print;

/// Where a broker's ops address shows it.
const PATH: &str = "/broker/status";

/// Asks a running broker.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// The broker's --ops address (its log names it); for `up` its admin address
    #[arg(long, env = "FLOTILLA_OPS", default_value = "127.0.0.1:1881", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    ops: SocketAddr,
    /// As JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// The route that answers.
pub fn routes(view: View) -> Router {
    Router::new().route(PATH, get(move || async move { Json(view.status()) }))
}

/// Prints the status.
pub async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let answer = probe(args.ops, PATH).await.context("cannot ask the broker; see --ops")?;
    ensure!(
        answer.status != 404,
        "{} has no broker: it may be an `up` with --no-broker, or a gateway; see --ops",
        args.ops
    );
    ensure!(answer.status == 200, "{} answered {}; see --ops", args.ops, answer.status);
    let status: Status =
        serde_json::from_str(&answer.body).context("the answer is not a broker's status; see --ops")?;
    let text = if args.json { serde_json::to_string_pretty(&status)? + "\n" } else { table(&status) };
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn table(status: &Status) -> String {
    let mut text = format!(
        "{} connections, {} sessions, {} retained messages ({} bytes)\n",
        status.connections, status.sessions, status.retained, status.retained_bytes
    );
    if status.groups.is_empty() {
        text += "no share groups\n";
    }
    for group in &status.groups {
        text += "\n";
        describe(&mut text, group);
    }
    text
}

fn describe(text: &mut String, group: &GroupStatus) {
    let oldest = group.oldest.map_or(String::new(), |age| format!(", the oldest for {:.1} s", age.as_secs_f64()));
    let sent: u64 = group.members.iter().map(|member| member.sent).sum();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "$share/{}/{}  {}\n  {} waiting{oldest}; {} in flight; {} redelivered",
        group.name, group.filter, group.strategy, group.waiting, group.in_flight, group.redelivered
    );
    if group.literal && group.strategy == Strategy::Keyed {
        *text += "  one literal topic is one key: one member has it at a time; to spread its messages without order, \
                  flotilla group set NODE share=least-in-flight\n";
    }
    if group.members.is_empty() {
        *text += "  no members: messages wait\n";
        return;
    }
    let width = group.members.iter().map(|member| member.client_id.chars().count()).max().unwrap_or(0).max(6);
    let _ = writeln!(text, "  {:width$}  {:12}  {:>9}  {:>10}  {:>6}", "MEMBER", "STATE", "IN FLIGHT", "SENT", "SHARE");
    for member in &group.members {
        let state = if member.connected { "connected" } else { "disconnected" };
        let share = if sent == 0 { 0.0 } else { member.sent as f64 * 100.0 / sent as f64 };
        let id = &member.client_id;
        let _ =
            writeln!(text, "  {id:width$}  {state:12}  {:>9}  {:>10}  {share:>5.1}%", member.in_flight, member.sent);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_broker::MemberStatus;

    use super::*;

    #[test]
    fn a_table_shows_members_shares_and_lag() {
        let member =
            |id: &str, in_flight, sent| MemberStatus { client_id: id.to_owned(), connected: sent > 0, in_flight, sent };
        let group = GroupStatus {
            name: "line".to_owned(),
            filter: "sensors/#".to_owned(),
            strategy: Strategy::LeastInFlight,
            waiting: 12,
            waiting_bytes: 2000,
            oldest: Some(Duration::from_millis(1500)),
            in_flight: 3,
            redelivered: 7,
            literal: false,
            keys: 0,
            members: vec![member("replica-a", 3, 30), member("b", 0, 0)],
        };
        let status = Status {
            connections: 2,
            sessions: 3,
            retained: 1,
            retained_bytes: 110,
            held_bytes: 110,
            groups: vec![group],
        };
        insta::assert_snapshot!(table(&status), @r"
        2 connections, 3 sessions, 1 retained messages (110 bytes)

        $share/line/sensors/#  least-in-flight
          12 waiting, the oldest for 1.5 s; 3 in flight; 7 redelivered
          MEMBER     STATE         IN FLIGHT        SENT   SHARE
          replica-a  connected             3          30  100.0%
          b          disconnected          0           0    0.0%
        ");
    }
}
