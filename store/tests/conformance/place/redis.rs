//! redis-server, with its log on disk at every write, so that a crash loses nothing.

use std::path::Path;
use std::process::Command;

use super::server::{Server, free_port};

pub fn start(folder: &Path) -> Result<Server, String> {
    let (port, folder) = (free_port(), folder.to_owned());
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{port}");
    Server::start(url("s3cret-right"), url("s3cret-wrong"), "KILL", move || {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--requirepass", "s3cret-right"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir"]).arg(&folder);
        command
    })
}
