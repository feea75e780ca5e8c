//! `flotilla trail`: where deliveries went.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::node::NodeId;
use flotilla_api::trail::{Trail, TrailEnd, TrailFilter, TrailRule};

use crate::client::{self, GroupArgs};
use crate::plain;
use crate::plain::print;

/// What `flotilla trail` takes. With --next, --sample, --property or --off it says what is recorded; else it searches.
#[derive(Args, Debug)]
pub struct TrailArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Show the trails with this message id, topic or value of the recorded property
    #[arg(value_name = "WHAT", default_value = "", hide_default_value = true, conflicts_with_all = RECORDS)]
    find: String,
    /// Those that pass this node, by its id or its name
    #[arg(long, value_name = "NODE", default_value = "", hide_default_value = true)]
    node: String,
    /// Those whose message has this id, its _msgid
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true, conflicts_with_all = RECORDS)]
    message: String,
    /// Those that arrived on this topic; it may end in #
    #[arg(long, value_name = "TOPIC", default_value = "", hide_default_value = true, conflicts_with_all = RECORDS)]
    topic: String,
    /// Those whose recorded property has this value
    #[arg(long, value_name = "VALUE", default_value = "", hide_default_value = true, conflicts_with_all = RECORDS)]
    value: String,
    /// Those that failed, and requests that the flow or a replica did not answer in time
    #[arg(long, conflicts_with_all = RECORDS)]
    failed: bool,
    /// Show at most this many, the newest
    #[arg(long, default_value_t = 20, value_name = "NUMBER", conflicts_with_all = RECORDS)]
    most: usize,
    /// Record this many in each replica from now on
    #[arg(long, value_name = "NUMBER", conflicts_with = "off")]
    next: Option<u64>,
    /// Record this share of them, like 1%
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "off")]
    sample: Option<f64>,
    /// Record those with this property, and its value, like msg.orderId
    #[arg(long, value_name = "PROPERTY", conflicts_with = "off")]
    property: Option<String>,
    /// Record only failures
    #[arg(long, conflicts_with = "node")]
    off: bool,
}

/// What says that something is to be recorded.
const RECORDS: [&str; 4] = ["next", "sample", "property", "off"];

/// Searches, or says what is recorded.
pub async fn run(args: TrailArgs) -> anyhow::Result<ExitCode> {
    let (client, group) = (args.group.client(), &args.group.group);
    if args.off {
        client.remove_trail_rule(group).await?;
        match args.group.admin.json {
            true => client::json(&serde_json::json!({"rule": null})),
            false => print("only failures are recorded now; recorded trails stay until newer ones replace them\n"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.next.is_some() || args.sample.is_some() || args.property.is_some() {
        let property = args.property.unwrap_or_default();
        let rule = TrailRule { node: args.node, next: args.next, percent: args.sample, property };
        client.set_trail_rule(group, &rule).await?;
        match args.group.admin.json {
            true => client::json(&serde_json::json!({"rule": rule})),
            false => print(&plain::lines(&format!("records {rule}; see them with `flotilla trail`\n"))),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let TrailArgs { find, node, message, topic, value, failed, most, .. } = args;
    let filter = TrailFilter { find, message, topic, value, node, failed, most };
    let found = client.trails(group, &filter).await?;
    if args.group.admin.json {
        client::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    // The newest last, as in a log.
    for trail in found.trails.iter().rev() {
        print(&plain::lines(&text(trail)));
    }
    match (&found.rule, found.trails.is_empty()) {
        (Some(rule), _) => eprintln!("{}", plain::one_line(&format!("recorded: failures, and {rule}"))),
        (None, true) => eprintln!("no trail; failures alone are recorded: see `flotilla trail --help`"),
        (None, false) => {}
    }
    for unanswered in &found.unanswered {
        eprintln!("{}", plain::one_line(&format!("! {} does not answer: {}", unanswered.replica, unanswered.reason)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A share: `1%` or `1`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    number.parse().map_err(|_| format!("\"{text}\" is not a share: write one such as 1% or 0.5%"))
}

/// A trail, a line for each thing that happened, in order.
pub fn text(trail: &Trail) -> String {
    let who = if trail.at_gateway { "gateway" } else { &trail.replica };
    let mut head = format!("{} {who} trail {}", client::time(trail.came_ms), trail.number);
    for (name, value) in [("topic", &trail.topic), ("message", &trail.message), (&*trail.property, &trail.value)] {
        if !value.is_empty() {
            head += &format!("  {name} {value}");
        }
    }
    if trail.at_gateway {
        return of_gateway(&plain::one_line(&head), trail);
    }
    let mut lines = vec![(0, format!("came in through {}", shown(&trail.source)))];
    if !trail.whole {
        lines.push((0, "(what it passed before this was not recorded)".to_owned()));
    }
    for step in &trail.steps {
        lines.push((step.at_us, format!("{}, which took {}", shown(&step.id), ms(step.took_us))));
    }
    for one in &trail.published {
        let end = match (one.taken_us, one.refused) {
            (Some(taken), _) => format!("the broker had it at {}", ms(taken)),
            (None, true) => "it could not be published".to_owned(),
            (None, false) => "the broker did not have it yet".to_owned(),
        };
        lines.push((one.at_us, format!("published on {} at QoS {}; {end}", one.topic, one.qos)));
    }
    if let Some(at) = trail.answered_us {
        let why = if trail.too_late { ": the flow did not answer in time" } else { "" };
        lines.push((at, format!("answered {}{why}", trail.status)));
    }
    // What happened at the same time stays as it is: came, passed, published.
    lines.sort_by_key(|(at, _)| *at);
    if trail.more_steps + trail.more_published > 0 {
        let more = format!("(and {} nodes and {} messages more)", trail.more_steps, trail.more_published);
        lines.push((trail.ended_us, more));
    }
    match trail.end {
        Some(TrailEnd::Completed) => lines.push((trail.ended_us, "completed".to_owned())),
        Some(TrailEnd::Abandoned) => lines.push((trail.ended_us, "given up here".to_owned())),
        Some(TrailEnd::Failed) => {
            lines.push((trail.ended_us, format!("failed in {}: {}", shown(&trail.failed), trail.error)));
        }
        None => lines.push((0, "is open".to_owned())),
    }
    if let Some(at) = trail.acknowledged_us {
        lines.push((at, "acknowledged".to_owned()));
    }
    let lines = lines.into_iter().map(|(at, what)| format!("  {:>12}  {}\n", ms(at), plain::one_line(&what)));
    format!("{}\n{}", plain::one_line(&head), lines.collect::<String>())
}

/// A request that the gateway answered itself.
fn of_gateway(head: &str, trail: &Trail) -> String {
    let at = ms(trail.answered_us.unwrap_or_default());
    let mut what = format!("answered {} by the gateway: {}", trail.status, trail.error);
    if !trail.replica.is_empty() {
        what += &format!("; replica {} had it, and its delivery may continue there", trail.replica);
    }
    format!("{head}\n  {at:>12}  {}\n", plain::one_line(&what))
}

fn shown(id: &NodeId) -> String {
    let kind = if id.kind.is_empty() { String::new() } else { format!(" ({})", id.kind) };
    let tab = if id.tab_label.is_empty() { String::new() } else { format!(" on {}", id.tab_label) };
    format!("{}{kind}{tab}", id.shown())
}

/// Microseconds as milliseconds.
fn ms(us: u64) -> String {
    format!("{}.{:03} ms", us / 1000, us % 1000)
}

#[cfg(test)]
mod tests {
    use flotilla_api::trail::{TrailPublish, TrailStep};

    use super::*;

    #[test]
    fn a_trail_reads_in_the_order_of_what_happened() {
        let id = |name: &str| NodeId { name: name.to_owned(), ..NodeId::default() };
        let trail = Trail {
            topic: "orders/new".to_owned(),
            property: "msg.orderId".to_owned(),
            value: "4711".to_owned(),
            source: id("in"),
            whole: true,
            steps: vec![
                TrailStep { id: id("parse"), at_us: 120, took_us: 80 },
                TrailStep { id: id("out"), at_us: 300, took_us: 10 },
            ],
            published: vec![TrailPublish {
                topic: "done".to_owned(),
                qos: 1,
                at_us: 305,
                taken_us: Some(900),
                refused: false,
            }],
            end: Some(TrailEnd::Completed),
            ended_us: 950,
            acknowledged_us: Some(1001),
            ..Trail::default()
        };
        let text = text(&trail);
        assert!(text.lines().next().is_some_and(|head| head.contains("orders/new") && head.contains("4711")), "{text}");
        let places = ["came in", "parse", "out, which", "published on done", "completed", "acknowledged"];
        let places: Vec<_> = places.iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    }

    #[test]
    fn a_request_that_the_gateway_answered_says_who_had_it() {
        let trail = Trail {
            replica: "default-2".to_owned(),
            topic: "GET /late".to_owned(),
            status: 504,
            answered_us: Some(1_500_000),
            at_gateway: true,
            error: "a replica did not answer: the deadline is over".to_owned(),
            ..Trail::default()
        };
        let shown = text(&trail);
        let wanted =
            "answered 504 by the gateway: a replica did not answer: the deadline is over; replica default-2 had it";
        assert!(shown.contains(wanted) && shown.contains("gateway trail 0  topic GET /late"), "{shown}");
        assert!(!shown.contains("is open"), "{shown}");
        // An answer 504 that the flow gave itself was not too late.
        let own = Trail { status: 504, answered_us: Some(5), ..Trail::default() };
        assert!(!text(&own).contains("in time"), "{}", text(&own));
    }

    #[test]
    fn a_share_is_a_number_with_or_without_a_sign() {
        assert_eq!((percent("1%"), percent(" 0.5 % ")), (Ok(1.0), Ok(0.5)));
        assert!(percent("some").is_err());
    }
}
