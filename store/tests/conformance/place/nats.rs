//! nats-server with JetStream on disk.

use std::path::Path;
use std::process::Command;

use super::server::{Server, free_port};

pub fn start(folder: &Path) -> Result<Server, String> {
    let (port, folder) = (free_port(), folder.join("nats"));
    let url = |password: &str| format!("nats://tester:{password}@127.0.0.1:{port}");
    Server::start(url("s3cret-right"), url("s3cret-wrong"), "KILL", move || {
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]).arg(&folder);
        command.args(["--user", "tester", "--pass", "s3cret-right"]);
        command
    })
}
