//! Publishers with a window, subscribers that acknowledge at once.

use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use flotilla_codec::{Version, agreed};

use super::client::{Client, publish_id};

/// What is measured.
#[derive(Clone, Copy)]
pub struct Case {
    /// For the report.
    pub name: &'static str,
    /// Its own, since a group keeps collecting for an hour after its last member has left.
    pub topic: &'static str,
    /// Clients that publish.
    pub publishers: usize,
    /// Members of the share group; 0 is one plain subscriber.
    pub group: usize,
    /// Of publish and subscription.
    pub qos: u8,
    /// Topics that the publishers take in turns.
    pub topics: usize,
    /// Flotilla's broker is asked for this order in the group.
    pub order: Option<&'static str>,
}

/// At QoS 0 nothing is acknowledged: so many may be on the way, so that no broker has to drop any.
const AHEAD: usize = 2000;
/// What each message carries.
pub const PAYLOAD: [u8; 64] = [b'x'; 64];

/// Messages a second, from the first publish to the last that came. Fails when one is lost.
pub fn run(case: Case, address: SocketAddr, messages: usize, window: usize) -> anyhow::Result<f64> {
    let got = AtomicUsize::new(0);
    let below = if case.topics > 1 { "/+" } else { "" };
    let share = if case.group > 0 { "$share/bench/" } else { "" };
    let filter = format!("{share}{}{below}", case.topic);
    let topics: Vec<String> = match case.topics {
        1 => vec![case.topic.to_owned()],
        count => (0..count).map(|number| format!("{}/{number}", case.topic)).collect(),
    };
    let mut subscribers = Vec::new();
    for number in 0..case.group.max(1) {
        let version = if case.order.is_some() { Version::V5 } else { Version::V4 };
        let mut client = Client::connect_as(version, address, &format!("s{number}"))?;
        let asked: Vec<_> = case.order.iter().map(|order| (agreed::ORDER, *order)).collect();
        client.subscribe_with(&filter, case.qos, &asked)?;
        subscribers.push(client);
    }
    let handles = subscribers.iter().map(Client::handle).collect::<Result<Vec<_>, _>>()?;
    let each = messages / case.publishers;
    let whole = each * case.publishers;
    std::thread::scope(|scope| {
        for client in subscribers {
            scope.spawn(|| collect(client, &got));
        }
        let begun = Instant::now();
        let publishers: Vec<_> = (0..case.publishers)
            .map(|number| {
                let (got, topics) = (&got, &topics);
                scope.spawn(move || publish(case, topics, address, number, each, window, got))
            })
            .collect();
        for publisher in publishers {
            publisher.join().expect("a publisher does not panic")?;
        }
        while got.load(Ordering::Relaxed) < whole && begun.elapsed() < Duration::from_mins(2) {
            std::thread::sleep(Duration::from_micros(200));
        }
        let took = begun.elapsed();
        for handle in handles {
            handle.shutdown(Shutdown::Both)?;
        }
        let got = got.load(Ordering::Relaxed);
        ensure!(got == whole, "{}: {got} of {whole} messages came", case.name);
        Ok(whole as f64 / took.as_secs_f64())
    })
}

/// Acknowledges and counts until the connection is shut down.
fn collect(mut client: Client, got: &AtomicUsize) {
    loop {
        let mut count = 0;
        let read = client.read(|packet, out| match packet[0] & 0xf6 {
            0x30 => count += 1,
            0x32 => {
                count += 1;
                let [high, low] = publish_id(packet);
                out.extend([0x40, 2, high, low]);
            }
            0x34 => {
                count += 1;
                let [high, low] = publish_id(packet);
                out.extend([0x50, 2, high, low]);
            }
            // PUBREL
            0x62 => out.extend([0x70, 2, packet[2], packet[3]]),
            _ => {}
        });
        if read.is_err() || client.flush().is_err() {
            return;
        }
        got.fetch_add(count, Ordering::Relaxed);
    }
}

fn publish(
    case: Case,
    topics: &[String],
    address: SocketAddr,
    number: usize,
    each: usize,
    window: usize,
    got: &AtomicUsize,
) -> anyhow::Result<()> {
    let mut client = Client::connect(address, &format!("p{number}"))?;
    let (mut sent, mut done) = (0, 0);
    while done < each {
        let limit = if case.qos == 0 { got.load(Ordering::Relaxed) + AHEAD } else { done + window };
        let room = limit.min(each).saturating_sub(sent);
        for _ in 0..room {
            sent += 1;
            client.publish(
                &topics[(number + sent * case.publishers) % topics.len()],
                &PAYLOAD,
                case.qos,
                (sent % 65_000) as u16 + 1,
            );
        }
        client.flush()?;
        if case.qos == 0 {
            done = sent;
            if room == 0 {
                std::thread::yield_now();
            }
            continue;
        }
        client
            .read(|packet, out| match packet[0] {
                0x40 | 0x70 => done += 1,
                0x50 => out.extend([0x62, 2, packet[2], packet[3]]),
                _ => {}
            })
            .context("no acknowledgement")?;
    }
    Ok(())
}
