//! The broker beside Mosquitto and rumqttd.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::bail;
use flotilla_codec::agreed::{ORDER_KEYED, ORDER_NONE};

use super::table::{Measure, Plan, Section, by_turns, cost, rate, variants};
use crate::broker::{CASES, Case, load, start_with};
use crate::peer::{Mosquitto, Process, Rumqttd};

const WINDOW: usize = 100;

/// A round: messages a second, and the broker's processor time a message.
fn round(case: Case, at: SocketAddr, process: &Process, messages: usize) -> Measure<'_> {
    Box::new(move || {
        let before = process.cpu()?;
        let rate = load::run(case, at, messages, WINDOW)?;
        Ok(vec![rate, (process.cpu()? - before) * 1e6 / messages as f64])
    })
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let messages = plan.messages(100_000);
    section.about = format!(
        "Raw TCP clients, payloads of 64 bytes, {WINDOW} un-acknowledged publishes of each publisher, {messages} messages a round. \
         `--persist`: each PUBACK comes after an fsync; neither Mosquitto nor rumqttd has that."
    );
    let metrics = [rate("messages/s"), cost("us of the broker's processor time a message")];
    let mut builds = Vec::new();
    for (at, (name, binary)) in plan.builds.iter().enumerate() {
        let (address, process) = start_with(binary, &dir.join(format!("flotilla-{at}")), &[])?;
        builds.push((name, address, process));
    }
    let [(_, ours, process), ..] = &builds[..] else { bail!("no binary to measure") };
    let ours = *ours;
    let mosquitto = Mosquitto::start(dir);
    let rumqttd = Rumqttd::start(dir);
    if let Err(error) = &mosquitto {
        section.skip("Mosquitto", error);
    }
    if let Err(error) = &rumqttd {
        section.skip("rumqttd", error);
    }
    for case in CASES {
        let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
        for (name, address, process) in &builds {
            sides.push(((*name).clone(), round(case, *address, process, messages)));
        }
        if let Ok(peer) = &mosquitto {
            sides.push(("Mosquitto".to_owned(), round(case, peer.address, &peer.process, messages)));
        }
        if let Ok(peer) = &rumqttd {
            sides.push(("rumqttd".to_owned(), round(case, peer.address, &peer.process, messages)));
        }
        section.cases.extend(by_turns(plan, case.name, &metrics, sides));
    }
    let group =
        |topic, order| Case { name: "order", topic, publishers: 4, group: 3, qos: 1, topics: 1000, order: Some(order) };
    let sides = vec![
        ("keyed".to_owned(), round(group("all/keyed", ORDER_KEYED), ours, process, messages)),
        ("least in flight".to_owned(), round(group("all/least", ORDER_NONE), ours, process, messages)),
    ];
    section.cases.extend(variants(plan, "share group of 3, 1,000 topics, our two orders", &metrics, sides));
    let kept = dir.join("kept");
    let kept = kept.display().to_string();
    let (persists, persisting) = start_with(&plan.builds[0].1, &dir.join("persist"), &["--persist", &kept])?;
    let fewer = messages / 4;
    for case in CASES.into_iter().filter(|case| case.qos > 0) {
        let sides = vec![
            ("with --persist".to_owned(), round(case, persists, &persisting, fewer)),
            ("without".to_owned(), round(case, ours, process, fewer)),
        ];
        section.cases.extend(variants(plan, &format!("--persist: {}", case.name), &metrics, sides));
    }
    Ok(())
}
