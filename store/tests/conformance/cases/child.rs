//! Child processes: the same work from many processes at once, some of them killed in the middle.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flotilla_store::{Store, Write, open};

use super::text;
use crate::history;

/// What a child process is to do: the name of the work, a number that tells the children apart.
const WORK: &str = "FLOTILLA_STORE_TEST_WORK";
const URL: &str = "FLOTILLA_STORE_TEST_URL";
const SEED: &str = "FLOTILLA_STORE_TEST_SEED";

/// Starts a child process of this test program.
pub fn spawn(work: &str, url: &str, seed: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("the test program"));
    command.args(["--exact", "child", "--ignored", "--nocapture", "--quiet"]);
    command.env(WORK, work).env(URL, url).env(SEED, seed.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("a child process")
}

/// The lines that a child (also a killed one) wrote. A last line without its end was not finished and is left out.
pub fn lines(child: Child) -> Vec<String> {
    let output = child.wait_with_output().expect("the child's output");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| line.rsplit("test child ... ").next().unwrap_or(line).to_owned()).collect()
}

/// Says a line, at once.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// What the child process does.
pub fn main() {
    let Ok(work) = std::env::var(WORK) else { return };
    let (url, seed) = (std::env::var(URL).unwrap(), std::env::var(SEED).unwrap().parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&url).await.unwrap();
        say("ready");
        match work.as_str() {
            "count" => count(&*store, seed).await,
            "lead" => lead(&*store, seed).await,
            "history" => history::record(&*store, seed).await,
            other => panic!("no such work: {other}"),
        }
    });
}

/// Increments for ever: says each before it and after it.
async fn count(store: &dyn Store, seed: u64) {
    loop {
        say("try");
        match store.incr("count", 1.0).await {
            Ok(sum) => say(&format!("sum {sum}")),
            Err(error) => assert!(error.is_unavailable(), "{seed}: {error}"),
        }
    }
}

/// Competes for a lease; while it has it, writes its token under the lease, again and again.
async fn lead(store: &dyn Store, seed: u64) {
    let holder = format!("h{seed}");
    loop {
        let asked = store.acquire("lead", &holder, Duration::from_millis(400)).await;
        let Ok(Some(lease)) = asked.map(flotilla_store::Acquire::granted) else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        say(&format!("granted {}", lease.token));
        // It never looks at its own clock: only the store keeps it from writing too late.
        while let Ok(version) = store.set("led", text(&lease.token.to_string()), Write::fenced(lease.fence())).await {
            say(&format!("wrote {} {version}", lease.token));
        }
    }
}
