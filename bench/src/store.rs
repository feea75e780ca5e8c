//! Operations per second and delays of the stores: fenced write, read, increment, and how late a watch tells.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use flotilla_store::{Event, Store, Write};

use crate::report::say;

/// How long the lease of the fenced writes is granted for; it is renewed before each round.
const LEASE: Duration = Duration::from_secs(60);

/// What `store` takes.
#[derive(Args)]
pub struct StoreArgs {
    /// Store to measure, several times for several: sqlite:PATH, postgres://, redis://, nats:// [default: SQLite in a
    /// temporary folder]
    #[arg(long, value_name = "URL")]
    store: Vec<String>,
    /// Processes at once, in turn
    #[arg(long, value_delimiter = ',', default_value = "1,2,4", value_name = "N")]
    processes: Vec<usize>,
    /// Seconds for each kind of operation
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    seconds: f64,
    /// Be one of the processes and print the delays
    #[arg(long, hide = true, value_name = "NUMBER")]
    worker: Option<usize>,
}

/// The kinds of operations.
const KINDS: [&str; 4] = ["fenced write", "read", "incr", "watch"];

/// Measures and prints a table.
pub fn run(args: &StoreArgs) -> anyhow::Result<()> {
    let seconds = Duration::try_from_secs_f64(args.seconds).context("--seconds must be a number of seconds")?;
    if let Some(number) = args.worker {
        let url = args.store.first().context("a worker is told its store")?;
        return tokio::runtime::Runtime::new()?.block_on(work(url, number, seconds));
    }
    let folder = tempfile::TempDir::new()?;
    let stores = match args.store.as_slice() {
        [] => vec![format!("sqlite:{}", folder.path().join("bench.db").display())],
        stores => stores.to_vec(),
    };
    say(&format!(
        "{:<10} {:>9}  {:<14} {:>12} {:>12} {:>12}",
        "store", "processes", "operation", "per second", "p50", "p99"
    ));
    for url in &stores {
        let scheme = url.split(':').next().unwrap_or_default();
        for processes in &args.processes {
            measure(url, scheme, *processes, args.seconds)?;
        }
    }
    Ok(())
}

fn measure(url: &str, scheme: &str, processes: usize, seconds: f64) -> anyhow::Result<()> {
    let spawn = |number: usize| {
        Command::new(std::env::current_exe()?)
            .args(["store", "--store", url, "--seconds", &seconds.to_string(), "--worker", &number.to_string()])
            .stdout(Stdio::piped())
            .spawn()
    };
    let children: Vec<_> = (0..processes).map(spawn).collect::<Result<_, _>>()?;
    let mut delays: [Vec<u64>; KINDS.len()] = Default::default();
    for child in children {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "a worker failed: {}", output.status);
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some((kind, micros)) = line.split_once(' ') else { continue };
            let Ok(kind) = kind.parse::<usize>() else { continue };
            delays[kind].extend(micros.split(',').filter_map(|one| one.parse::<u64>().ok()));
        }
    }
    for (kind, delays) in KINDS.iter().zip(&mut delays) {
        delays.sort_unstable();
        let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or_default();
        let rate = if *kind == "watch" { "-".to_owned() } else { format!("{:.0}", delays.len() as f64 / seconds) };
        let (p50, p99) = (format!("{} us", at(0.5)), format!("{} us", at(0.99)));
        say(&format!("{scheme:<10} {processes:>9}  {kind:<14} {rate:>12} {p50:>12} {p99:>12}"));
    }
    Ok(())
}

async fn work(url: &str, number: usize, seconds: Duration) -> anyhow::Result<()> {
    let store = flotilla_store::open(url).await?;
    let name = format!("bench/{number}");
    let lease = store.acquire(&name, &format!("{}", std::process::id()), LEASE).await?.granted().context("no lease")?;
    let value = bytes::Bytes::from(vec![b'x'; 200]);
    let key = format!("{name}/written");
    let fenced = timed(seconds, async || store.set(&key, value.clone(), Write::fenced(lease.fence())).await.map(drop));
    report(0, fenced.await?);
    report(1, timed(seconds, async || store.get(&key).await.map(drop)).await?);
    report(2, timed(seconds, async || store.incr("bench/sum", 1.0).await.map(drop)).await?);
    report(3, watch(&store, &name, seconds).await?);
    store.release(&lease).await?;
    Ok(())
}

async fn timed(
    seconds: Duration,
    mut operation: impl AsyncFnMut() -> Result<(), flotilla_store::StoreError>,
) -> anyhow::Result<Vec<u64>> {
    let (end, mut delays) = (Instant::now() + seconds, Vec::new());
    while Instant::now() < end {
        let began = Instant::now();
        operation().await?;
        delays.push(began.elapsed().as_micros() as u64);
    }
    Ok(delays)
}

/// From before a write until its watcher hears of it.
async fn watch(store: &Arc<dyn Store>, name: &str, seconds: Duration) -> anyhow::Result<Vec<u64>> {
    let prefix = format!("{name}/watched/");
    let mut watch = store.watch(&prefix).await?;
    // Changes are told from here on: what was written before is to be listed.
    ensure!(matches!(watch.next().await, Some(Event::Resync)), "a watch begins with a resync");
    let (end, mut delays) = (Instant::now() + seconds, Vec::new());
    while Instant::now() < end {
        let began = Instant::now();
        let key = format!("{prefix}{}", delays.len());
        store.set(&key, bytes::Bytes::from_static(b"1"), Write::expiring(LEASE)).await?;
        loop {
            match watch.next().await.context("the watch ended")? {
                Event::Change { key: changed, .. } if changed == key => break,
                Event::Resync if store.get(&key).await?.is_some() => break,
                Event::Change { .. } | Event::Resync => {}
            }
        }
        delays.push(began.elapsed().as_micros() as u64);
    }
    Ok(delays)
}

fn report(kind: usize, delays: Vec<u64>) {
    let list: Vec<String> = delays.iter().map(ToString::to_string).collect();
    say(&format!("{kind} {}", list.join(",")));
}
