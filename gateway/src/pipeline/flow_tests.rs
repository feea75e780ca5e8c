//! The flow's own tests, in a process of their own: what hangs or crashes there is not the gateway.

use std::process::Stdio;
use std::time::Duration;

use flotilla_group::revision::Revision;
use serde_json::Value;
use tokio::process::Command;

use super::child::{self, Unended};
use super::driver::PipelineDriver;
use super::trouble::Trouble;

/// How long they may take.
const LIMIT: Duration = Duration::from_secs(300);
/// Bytes that they may write.
const MOST: u64 = 8 << 20;
/// Characters of the summary, which goes into the audit log.
const SUMMARY: usize = 200;
/// What is told of a failure at most, in bytes.
const TOLD: usize = 2000;

/// How the tests went.
pub(super) struct Tested {
    pub(super) passed: bool,
    /// In one line.
    pub(super) summary: String,
    /// What failed.
    pub(super) failures: String,
}

impl PipelineDriver {
    /// Runs tests of a revision with its variables, without credentials and secrets: what reaches outside is isolated.
    pub(super) async fn flow_tests(&self, revision: &Revision, tests: &str) -> Result<Tested, Trouble> {
        let failed = |what: &str, error: &std::io::Error| {
            Trouble::Waits(format!("cannot run the flow's tests: {what}: {error}"))
        };
        let folder = tempfile::TempDir::new().map_err(|error| failed("a folder for them", &error))?;
        let path = |name: &str| folder.path().join(name);
        let env: String = revision
            .env
            .iter()
            .filter(|(_, value)| !value.contains('\n'))
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        for (name, text) in [("flows.json", revision.flows.to_string()), ("tests.json", tests.to_owned()), ("env", env)]
        {
            tokio::fs::write(path(name), text).await.map_err(|error| failed(name, &error))?;
        }
        let mut command = Command::new(&self.program);
        command.arg("test").arg(path("flows.json")).arg(path("tests.json")).arg("--env-file").arg(path("env"));
        if revision.settings.get(flotilla_flows::ALLOW_UNKNOWN) == Some(&Value::Bool(true)) {
            command.arg("--allow-unknown");
        }
        // Nothing of the gateway's own: its variables hold keys and tokens.
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let stopped = |summary: String| Ok(Tested { passed: false, failures: summary.clone(), summary });
        let ended = match child::run(command, None, LIMIT, MOST).await {
            Ok(ended) => ended,
            Err(Unended::Failed(error)) => return Err(failed("the program", &error)),
            Err(Unended::Late) => return stopped(format!("not done after {} s", LIMIT.as_secs())),
            Err(Unended::Endless) => return stopped(format!("they wrote more than {MOST} bytes")),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let (out, error) = (text(&ended.out), text(&ended.told));
        let summary: String = out.lines().last().unwrap_or_default().chars().take(SUMMARY).collect();
        let mut failures: String = match ended.status.code() {
            Some(1) => out.lines().filter(|line| !line.starts_with("ok")).collect::<Vec<_>>().join("\n"),
            _ => error,
        };
        while failures.len() > TOLD {
            failures.pop();
        }
        let folder = folder.path().display().to_string() + "/";
        Ok(Tested { passed: ended.status.success(), summary, failures: failures.replace(&folder, "") })
    }
}
