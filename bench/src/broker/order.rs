//! Delivery by key beside the member with the fewest in flight, at few and many topics.

use std::net::SocketAddr;

use flotilla_codec::agreed::{ORDER_KEYED, ORDER_NONE};

use super::{
    BrokerArgs,
    load::{self, Case},
};
use crate::peer::Process;
use crate::report::{median, say};

/// Topics, and a prefix of their own for each order: a group keeps its order while it has members.
const CASES: [(usize, [&str; 2]); 4] = [
    (1, ["order/a1", "order/b1"]),
    (10, ["order/a10", "order/b10"]),
    (1000, ["order/a1000", "order/b1000"]),
    (100_000, ["order/a100000", "order/b100000"]),
];

/// Four publishers, a share group of three, QoS 1.
pub fn run(address: SocketAddr, broker: &Process, args: &BrokerArgs) -> anyhow::Result<()> {
    for (topics, prefixes) in CASES {
        say(&format!("QoS 1, 4 publishers to a share group of 3, topics: {topics}"));
        let mut rates = [Vec::new(), Vec::new()];
        let mut spent = [0.0; 2];
        for _ in 0..args.rounds {
            for (at, order) in [ORDER_KEYED, ORDER_NONE].into_iter().enumerate() {
                let order = Some(order);
                let case = Case { name: "order", topic: prefixes[at], publishers: 4, group: 3, qos: 1, topics, order };
                let before = broker.cpu()?;
                rates[at].push(load::run(case, address, args.messages, args.window)?);
                spent[at] += broker.cpu()? - before;
            }
        }
        for (at, name) in ["keyed", "least-in-flight"].into_iter().enumerate() {
            let cost = spent[at] * 1e6 / (args.messages * args.rounds) as f64;
            let rate = median(&rates[at]);
            say(&format!("  {name:15} {rate:>8.0} messages/s, {cost:.2} us CPU a message (rounds {:.0?})", rates[at]));
        }
    }
    Ok(())
}
