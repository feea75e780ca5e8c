//! Packages of npm that tests run beside ours: installed once into the build's folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::process::flotilla;

/// The folder whose `node_modules` has these packages (`node-red@4.1.15`). Installed when it is not there; tests that ask
/// at the same time wait for each other.
pub fn npm(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let binary = flotilla()?;
    let build = binary.ancestors().nth(2).context("the binary is in a folder of the build's")?;
    let name: String = packages
        .join("+")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "@+.-".contains(c) { c } else { '_' })
        .collect();
    let folder = build.join("npm").join(name);
    std::fs::create_dir_all(&folder)?;
    let lock = std::fs::File::create(folder.join("lock"))?;
    lock.lock()?;
    let done = folder.join("installed");
    if !done.exists() {
        std::fs::write(folder.join("package.json"), r#"{"private": true}"#)?;
        let status = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"])
            .args(packages)
            .current_dir(&folder)
            .status()
            .context("npm is needed (package npm)")?;
        ensure!(status.success(), "npm install {}: {status}", packages.join(" "));
        std::fs::write(done, "")?;
    }
    Ok(folder)
}
