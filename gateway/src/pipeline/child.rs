//! A program that is run: for a bounded time, with bounded output, and with all that it started.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Of standard error so much is kept.
const TOLD: u64 = 64 << 10;

/// How a program ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) out: Vec<u8>,
    pub(super) told: Vec<u8>,
}

/// Why it did not end.
pub(super) enum Unended {
    /// It could not be run.
    Failed(std::io::Error),
    /// It took too long.
    Late,
    /// It wrote too much.
    Endless,
}

/// The processes of a program: they end with this.
struct Processes(Option<Pid>);

impl Drop for Processes {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // Nobody is left in it: that is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a program whose pipes are set up; `most`: bytes of its standard output.
pub(super) async fn run(
    mut command: Command,
    input: Option<&[u8]>,
    limit: Duration,
    most: u64,
) -> Result<Ended, Unended> {
    // A group of its own: hooks, helpers and what they leave in the background are ended with it.
    let mut child = command.process_group(0).kill_on_drop(true).spawn().map_err(Unended::Failed)?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let mut processes = Processes(group);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work = async {
        let fed = async {
            if let (Some(input), Some(mut pipe)) = (input, stdin) {
                // A program that does not read it says why on its standard error.
                let _ = pipe.write_all(input).await;
            }
            Ok(())
        };
        let ended = async {
            let status = child.wait().await.map_err(Unended::Failed)?;
            // What it left behind holds the pipes open.
            drop(std::mem::replace(&mut processes, Processes(None)));
            Ok(status)
        };
        let (status, out, told, ()) = tokio::try_join!(ended, whole(stdout, most), beginning(stderr), fed)?;
        Ok(Ended { status, out, told })
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Unended::Late))
}

async fn whole(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> Result<Vec<u8>, Unended> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok(bytes) };
    pipe.take(most + 1).read_to_end(&mut bytes).await.map_err(Unended::Failed)?;
    if bytes.len() as u64 > most { Err(Unended::Endless) } else { Ok(bytes) }
}

async fn beginning(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Unended> {
    let mut bytes = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(bytes) };
    (&mut pipe).take(TOLD).read_to_end(&mut bytes).await.map_err(Unended::Failed)?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.map_err(Unended::Failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[tokio::test]
    async fn what_a_program_leaves_behind_ends_with_it() {
        let started = Instant::now();
        let ended = run(shell("sleep 60 & echo $!; cat"), Some(b"fed"), Duration::from_secs(30), 1 << 10).await;
        let Ok(ended) = ended else { panic!("it ends") };
        assert!(started.elapsed() < Duration::from_secs(20), "nobody waits for what holds its pipes open");
        let out = String::from_utf8(ended.out).unwrap();
        let (pid, fed) = out.split_once('\n').unwrap();
        assert!(ended.status.success() && fed == "fed", "{out}");
        let gone = async {
            while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the process in the background ends");
    }

    #[tokio::test]
    async fn one_that_writes_or_takes_without_end_is_ended() {
        let endless = run(shell("yes"), None, Duration::from_secs(30), 1 << 20).await;
        assert!(matches!(endless, Err(Unended::Endless)));
        let late = run(shell("sleep 60"), None, Duration::from_millis(100), 1).await;
        assert!(matches!(late, Err(Unended::Late)));
        let loud = run(shell("yes | head -c 1000000 >&2"), None, Duration::from_secs(30), 1).await;
        assert!(loud.is_ok_and(|ended| ended.told.len() == 64 << 10));
    }
}
