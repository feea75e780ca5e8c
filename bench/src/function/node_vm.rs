//! Node's `vm` module doing what Node-RED's function node does with it.

use std::process::Command;

use anyhow::{Context, ensure};

use super::case::Case;

const SCRIPT: &str = include_str!("node_vm.js");

/// Microseconds a message.
pub fn measure(case: &Case, messages: usize) -> anyhow::Result<f64> {
    let output = Command::new("node")
        .args(["-e", SCRIPT, "--", case.code, &case.message(), &messages.to_string()])
        .output()
        .context("node is needed on the PATH")?;
    ensure!(output.status.success(), "node: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().context("node printed no number")
}
