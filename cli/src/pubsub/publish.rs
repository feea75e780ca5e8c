//! Publishes, and ends when all is acknowledged.

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use flotilla_load::rumqtt::{Happening, Link, Message, Sender};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::Notify;

use super::args::PubArgs;
use super::options::connection;
use super::properties::{self, Properties};

/// How long one waits for the broker without a sign of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read from standard input or a file, and the largest payload that MQTT has.
const LARGEST: u64 = 256 << 20;

/// Messages handed over that are not written yet.
const QUEUE: usize = 100;

/// What was handed over, and what of it is done.
#[derive(Default)]
struct Count {
    handed: Cell<u64>,
    done: Cell<u64>,
    moved: Notify,
}

/// Exit code 0 when every message was sent, and at QoS 1 and 2 acknowledged.
pub async fn run(args: PubArgs) -> anyhow::Result<ExitCode> {
    let properties = properties::read(&args.connect.property)?;
    let connection = connection(&args.connect, &properties, QUEUE)?;
    let topic = args.topic.clone().or(connection.topic).context("no topic: give -t TOPIC, or -L with one")?;
    let mut link = connection.link;
    let count = Count::default();
    let work = async {
        // Publishing begins with the connection: until then nothing is read from standard input.
        let connected = async {
            while !matches!(link.poll().await?, Happening::Connected { .. }) {}
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, connected).await.map_err(|_| silent())??;
        let sender = link.sender();
        let feed = async {
            feed(&args, &topic, &sender, &properties, &count).await?;
            finish(&count).await?;
            sender.disconnect().await;
            tokio::time::sleep(PATIENCE).await;
            Err(silent())
        };
        // A poll is never dropped in the middle before the end: rumqttc may lose what it was writing.
        tokio::select! {
            left = follow(&mut link, &count) => left,
            fed = feed => fed,
        }
    };
    work.await.with_context(|| format!("broker {}", connection.shown))?;
    Ok(ExitCode::SUCCESS)
}

fn silent() -> anyhow::Error {
    anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs())
}

/// Counts what is done, until DISCONNECT was sent.
async fn follow(link: &mut Link, count: &Count) -> anyhow::Result<()> {
    loop {
        match link.poll().await? {
            Happening::Written(0) | Happening::Acked(..) => {
                count.done.set(count.done.get() + 1);
                count.moved.notify_one();
            }
            Happening::Refused(_, why) => bail!("the message was refused: {why}"),
            Happening::Left => return Ok(()),
            _ => {}
        }
    }
}

/// Waits until all that was handed over is done.
async fn finish(count: &Count) -> anyhow::Result<()> {
    while count.done.get() < count.handed.get() {
        tokio::time::timeout(PATIENCE, count.moved.notified()).await.map_err(|_| silent())?;
    }
    Ok(())
}

async fn feed(
    args: &PubArgs,
    topic: &str,
    sender: &Sender,
    properties: &Properties,
    count: &Count,
) -> anyhow::Result<()> {
    let publish = async |payload: Vec<u8>| {
        ensure!(payload.len() as u64 <= LARGEST, "a payload has {LARGEST} bytes at most");
        let message = Message {
            topic: topic.to_owned(),
            qos: args.connect.qos,
            retain: args.retain,
            payload: payload.into(),
            properties: properties.publish.clone(),
        };
        count.handed.set(count.handed.get() + 1);
        sender.publish(message).await?;
        Ok(())
    };
    if args.lines {
        let mut input = BufReader::new(tokio::io::stdin());
        loop {
            let mut line = Vec::new();
            if (&mut input).take(LARGEST + 1).read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            publish(line).await?;
        }
    }
    let payload = if let Some(text) = &args.message {
        text.clone().into_bytes()
    } else if let Some(file) = &args.file {
        tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?
    } else if args.stdin {
        let mut all = Vec::new();
        tokio::io::stdin().take(LARGEST + 1).read_to_end(&mut all).await?;
        all
    } else {
        Vec::new()
    };
    let delay = Duration::try_from_secs_f64(args.repeat_delay).context("--repeat-delay must be 0 or more seconds")?;
    for number in 0..args.repeat {
        if number > 0 && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        publish(payload.clone()).await?;
    }
    Ok(())
}
