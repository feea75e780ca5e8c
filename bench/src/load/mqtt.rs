//! Sends numbered messages to a flow and counts what it sends back.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::peer::Process;

use super::wire::{self, Reader};

/// Waits no longer than this for an output.
const PATIENCE: Duration = Duration::from_secs(20);

/// The generator reads this often, so that neither side waits for a wake-up per packet.
const PAUSE: Duration = Duration::from_millis(1);

/// What one load was.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The broker.
    pub broker: SocketAddr,
    /// Where the flow listens.
    pub input: &'a str,
    /// Where the flow publishes.
    pub output: &'a str,
    /// How many messages.
    pub messages: usize,
    /// How many may be between publisher and output at once.
    pub window: usize,
}

/// Connects to a broker; waits for CONNACK.
fn connect(broker: SocketAddr, client_id: &str) -> anyhow::Result<(TcpStream, Reader)> {
    let mut stream = TcpStream::connect(broker)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&wire::connect(client_id))?;
    let mut reader = Reader::new(stream.try_clone()?);
    let answer = reader.read()?;
    ensure!(answer.first == 0x20 && answer.body.get(1) == Some(&0), "the broker refused the connection");
    Ok((stream, reader))
}

/// True when the flow answers: messages are sent until one comes out.
pub fn wait_until_answered(load: Load<'_>) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        let (mut subscriber, mut outputs) = connect(load.broker, "bench-probe-out")?;
        subscriber.write_all(&wire::subscribe(load.output))?;
        outputs.read()?;
        subscriber.set_read_timeout(Some(Duration::from_millis(300)))?;
        let (mut publisher, _acks) = connect(load.broker, "bench-probe-in")?;
        publisher.write_all(&wire::publish(load.input, 1, &payload(0)))?;
        if outputs.read().is_ok() {
            return Ok(());
        }
    }
    anyhow::bail!("no output on {} within a minute", load.output)
}

/// About 200 bytes, as a sensor sends them.
fn payload(number: usize) -> Vec<u8> {
    format!(
        r#"{{"seq":{number},"value":{}.5,"unit":"C","sensor":"press-{}","line":"north-7","quality":"good","at":1763690000000,"tags":["plant","line1","temperature"],"limits":{{"low":10,"high":80}},"firmware":"2.14.0"}}"#,
        20 + number % 10,
        number % 100,
    )
    .into_bytes()
}

/// The number that `payload` put first; the flow keeps the order of properties.
fn sequence(output: &[u8]) -> Option<usize> {
    let digits = output.strip_prefix(br#"{"seq":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// A connection that gets what the flow publishes.
fn subscribed(load: Load<'_>) -> anyhow::Result<Reader> {
    let (mut subscriber, mut outputs) = connect(load.broker, "bench-out")?;
    subscriber.write_all(&wire::subscribe(load.output))?;
    outputs.read().context("no SUBACK")?;
    Ok(outputs)
}

/// Waits until every message came out; tells how many have, now and then. Gives the time of the last.
fn collect(mut outputs: Reader, messages: usize, mut progress: impl FnMut(usize)) -> anyhow::Result<Instant> {
    let mut got = vec![false; messages];
    let mut distinct = 0;
    while distinct < messages {
        let packet = outputs.read().context("an output did not come within the patience")?;
        if packet.first & 0xf0 != 0x30 {
            continue;
        }
        let number = packet.payload().and_then(sequence).context("the output begins with seq")?;
        if !std::mem::replace(got.get_mut(number).context("seq is in range")?, true) {
            distinct += 1;
        }
        if !outputs.has_packet() {
            progress(distinct);
            std::thread::sleep(PAUSE);
        }
    }
    Ok(Instant::now())
}

fn publish(load: Load<'_>, numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers.flat_map(|number| wire::publish(load.input, (number % 65_535) as u16 + 1, &payload(number))).collect()
}

/// Sends all messages, keeping the window full, and waits until every one came out. Gives the time from the first
/// publish to the last output.
pub fn run(load: Load<'_>) -> anyhow::Result<Duration> {
    let outputs = subscribed(load)?;
    let (mut publisher, mut acks) = connect(load.broker, "bench-in")?;
    let state = Arc::new((Mutex::new(0usize), Condvar::new()));
    let begun = Instant::now();
    std::thread::scope(|scope| -> anyhow::Result<Duration> {
        let seen = state.clone();
        let collector = scope.spawn(move || {
            collect(outputs, load.messages, |distinct| {
                *seen.0.lock().expect("no panic while counting") = distinct;
                seen.1.notify_one();
            })
        });
        scope.spawn(move || {
            while acks.read().is_ok() {
                if !acks.has_packet() {
                    std::thread::sleep(PAUSE);
                }
            }
        });
        let mut sent = 0;
        while sent < load.messages {
            let (lock, changed) = &*state;
            let seen = lock.lock().expect("no panic while counting");
            let (seen, timeout) = changed
                .wait_timeout_while(seen, PATIENCE, |seen| sent - *seen >= load.window)
                .expect("no panic while counting");
            ensure!(!timeout.timed_out(), "{} of {sent} messages came out", *seen);
            let room = (load.window - (sent - *seen)).min(load.messages - sent);
            drop(seen);
            publisher.write_all(&publish(load, sent..sent + room))?;
            sent += room;
        }
        let ended = collector.join().expect("the collector does not panic")?;
        // Ends the reader of acknowledgements.
        publisher.shutdown(std::net::Shutdown::Both)?;
        Ok(ended - begun)
    })
}

/// Messages that the broker holds for a flow that stands still.
pub struct Backlog<'a> {
    load: Load<'a>,
    outputs: Reader,
    flow: &'a Process,
}

impl<'a> Backlog<'a> {
    /// Stops the flow and hands all messages to the broker.
    pub fn pile_up(load: Load<'a>, flow: &'a Process) -> anyhow::Result<Backlog<'a>> {
        let outputs = subscribed(load)?;
        flow.stop()?;
        let (mut publisher, mut acks) = connect(load.broker, "bench-in")?;
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let acked = scope.spawn(move || (0..load.messages).try_for_each(|_| acks.read().map(|_| ())));
            for begin in (0..load.messages).step_by(load.window) {
                publisher.write_all(&publish(load, begin..(begin + load.window).min(load.messages)))?;
            }
            acked.join().expect("the reader does not panic").context("the broker took not all of the backlog")
        })?;
        Ok(Backlog { load, outputs, flow })
    }

    /// Lets the flow go. Gives the time from there to the last output.
    pub fn work_off(self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.flow.resume()?;
        Ok(collect(self.outputs, self.load.messages, |_| {})? - begun)
    }
}
