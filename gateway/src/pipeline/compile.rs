//! Code that does not compile, found by the program itself: scripts are no concern of a gateway's process.

use std::process::Stdio;
use std::time::Duration;

use flotilla_flows::Finding;
use serde_json::Value;
use tokio::process::Command;

use super::child::{self, Unended};
use super::driver::PipelineDriver;
use super::trouble::Trouble;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes of all findings.
const MOST: u64 = 32 << 20;
/// What such findings are called.
const CODE: &str = "does-not-compile";

impl PipelineDriver {
    /// Functions, expressions and templates of a document that do not compile.
    pub(super) async fn does_not_compile(&self, flows: &Value) -> Result<Vec<Finding>, Trouble> {
        let failed = |error: std::io::Error| Trouble::Waits(format!("cannot review the flow: {error}"));
        let folder = tempfile::TempDir::new().map_err(failed)?;
        let file = folder.path().join("flows.json");
        tokio::fs::write(&file, flows.to_string()).await.map_err(failed)?;
        let mut command = Command::new(&self.program);
        command.arg("review").arg(&file).arg("--json");
        // Nothing of the gateway's own: its variables hold keys and tokens.
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = child::run(command, None, LIMIT, MOST).await.map_err(|error| match error {
            Unended::Failed(error) => failed(error),
            Unended::Late => Trouble::Fails(format!("the review was not done after {} s", LIMIT.as_secs())),
            Unended::Endless => Trouble::Fails(format!("the review finds more than {MOST} bytes")),
        })?;
        let told = || String::from_utf8_lossy(&ended.told).trim().to_owned();
        let found: Vec<Finding> = serde_json::from_slice(&ended.out)
            .map_err(|error| Trouble::Fails(format!("the review of the flow failed: {error}: {}", told())))?;
        Ok(found.into_iter().filter(|finding| finding.code == CODE).collect())
    }
}
