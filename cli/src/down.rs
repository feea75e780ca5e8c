//! `flotilla down`: ends the `flotilla up` of a data folder.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use crate::exit::{Exit, Failure};
use crate::place::Place;
use crate::plain::print;

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// What `flotilla down` takes.
#[derive(Args, Debug)]
pub struct DownArgs {
    /// Folder for the SQLite store, as given to `flotilla up`
    #[arg(long, env = "FLOTILLA_DATA", default_value = ".flotilla", value_name = "DIR")]
    data: PathBuf,
    /// Seconds that it has to drain
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
}

/// Asks it to drain and waits until it has ended.
pub async fn run(args: DownArgs) -> anyhow::Result<ExitCode> {
    let Some(place) = Place::find(&args.data) else {
        let message = format!("no `flotilla up` runs in {}; see --data", args.data.display());
        return Err(Failure::new(Exit::NotFound, message).into());
    };
    let pid = i32::try_from(place.pid).ok().and_then(Pid::from_raw).context("up.json has no process id")?;
    kill_process(pid, Signal::TERM).with_context(|| format!("cannot ask process {} to end", place.pid))?;
    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    while Place::find(&args.data).is_some_and(|now| now.pid == place.pid) {
        if Instant::now() > deadline {
            let message = format!("process {} still drains after {} s", place.pid, args.timeout);
            return Err(Failure::new(Exit::TimedOut, message).into());
        }
        tokio::time::sleep(LOOK).await;
    }
    print(&format!("process {} has drained and ended\n", place.pid));
    Ok(ExitCode::SUCCESS)
}
