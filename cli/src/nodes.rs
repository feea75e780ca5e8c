//! `flotilla nodes`: the flow's tabs and nodes, with counts, errors and statuses.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use flotilla_api::node::{GroupNode, GroupNodes, NodeCounts};

use crate::client::{self, GroupArgs};
use crate::plain;
use crate::plain::print;

/// What `flotilla nodes` takes.
#[derive(Args, Debug)]
pub struct NodesArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Only nodes of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only nodes of this tab, by its name or id
    #[arg(long, value_name = "TAB")]
    tab: Option<String>,
    /// Only nodes that report errors, show a red status or have failed
    #[arg(long)]
    trouble: bool,
    /// Also config nodes
    #[arg(long)]
    all: bool,
}

/// Prints the nodes.
pub async fn run(args: NodesArgs) -> anyhow::Result<ExitCode> {
    let mut found = args.group.client().nodes(&args.group.group).await?;
    found.nodes.retain(|node| args.wants(node));
    if args.group.admin.json {
        client::json(&found);
    } else {
        show(&found);
    }
    Ok(ExitCode::SUCCESS)
}

impl NodesArgs {
    fn wants(&self, node: &GroupNode) -> bool {
        let id = &node.id;
        // What was made without an editor has no place, and looks like a config node: it is shown when it does something.
        let is_idle = id.config && node.statuses.is_empty() && node.counts == NodeCounts::default();
        let red = node.statuses.iter().any(|merged| merged.status.fill == "red");
        self.kind.as_ref().is_none_or(|kind| *kind == id.kind)
            && self.tab.as_ref().is_none_or(|tab| *tab == id.tab || *tab == id.tab_label)
            && (!self.trouble || red || node.counts.errors > 0 || !node.problems.is_empty())
            && (self.all || self.kind.is_some() || !is_idle || !node.problems.is_empty())
    }
}

/// Tab by tab, in the flow document's order.
pub(crate) fn show(found: &GroupNodes) {
    let mut tabs: Vec<&str> = Vec::new();
    for node in &found.nodes {
        if !tabs.contains(&&*node.id.tab) {
            tabs.push(&node.id.tab);
        }
    }
    // Config nodes of no tab come last.
    tabs.sort_by_key(|tab| tab.is_empty());
    for (at, tab) in tabs.iter().enumerate() {
        let nodes = found.nodes.iter().filter(|node| node.id.tab == *tab);
        let label = nodes.clone().next().map(|node| node.id.tab_label.clone()).unwrap_or_default();
        let break_before = if at > 0 { "\n" } else { "" };
        let title = if tab.is_empty() { "Config nodes".to_owned() } else { format!("{label} ({tab})") };
        print(&format!("{break_before}{}\n", plain::one_line(&title)));
        let rows = nodes.map(|node| {
            [
                format!("  {}", node.id.shown()),
                node.id.kind.clone(),
                node.id.node.clone(),
                node.counts.received.to_string(),
                node.counts.sent.to_string(),
                node.counts.errors.to_string(),
                mean(node),
                status(node),
            ]
        });
        client::table(["  NODE", "TYPE", "ID", "IN", "OUT", "ERRORS", "MEAN", "STATUS"], rows);
    }
    unanswered(found);
}

/// Names the replicas that did not answer.
pub(crate) fn unanswered(found: &GroupNodes) {
    for missing in &found.unanswered {
        eprintln!("{}", plain::one_line(&format!("! {} does not answer: {}", missing.replica, missing.reason)));
    }
}

fn mean(node: &GroupNode) -> String {
    let Some(us) = node.counts.busy_us.checked_div(node.counts.received) else { return String::new() };
    let time = Duration::from_micros(us);
    if us < 1000 { format!("{us} us") } else { format!("{:.1} ms", time.as_secs_f64() * 1e3) }
}

/// What it shows, and why it does not work.
pub(crate) fn status(node: &GroupNode) -> String {
    let problems = node.problems.iter().map(|(replica, why)| format!("does not work on {replica}: {why}"));
    let shown = Some(node.status()).filter(|status| !status.is_empty());
    shown.into_iter().chain(problems).collect::<Vec<_>>().join("; ")
}
