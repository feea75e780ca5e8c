//! A server process: started, paused, killed and started again.

use std::process::{Child, Command, Stdio};

use super::ports::free_ports;

/// A running server.
pub struct Server {
    pub url: String,
    /// A user name and password that this server refuses, as URL.
    pub wrong_url: String,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    child: Child,
    /// The signal that ends it at once without leaving processes of its own behind.
    end: &'static str,
}

impl Server {
    /// Starts a server; why not, when its program is not installed.
    pub fn start(
        url: String,
        wrong_url: String,
        end: &'static str,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Result<Server, String> {
        let child = spawn(&command)?;
        Ok(Server { url, wrong_url, command: Box::new(command), child, end })
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: &str) {
        signal_to(self.child.id(), signal);
    }

    /// Stops the process and those it started (PostgreSQL has one per connection), or lets them go on.
    pub fn pause(&self, paused: bool) {
        let pid = self.child.id();
        let started = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let started = started.split_whitespace().filter_map(|child| child.parse().ok());
        for process in std::iter::once(pid).chain(started) {
            signal_to(process, if paused { "STOP" } else { "CONT" });
            if paused {
                until_stopped(process);
            }
        }
    }

    /// Ends the process, as a crash does.
    pub fn kill(&mut self) {
        self.signal(self.end);
        self.child.wait().expect("the server's end");
    }

    /// Starts it again on the same port and data.
    pub fn restart(&mut self) {
        self.child = spawn(&*self.command).expect("the server starts again");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pause(false);
        self.kill();
    }
}

/// Sends a signal to a process.
pub fn signal_to(pid: u32, signal: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

/// A port that no other test has.
pub fn free_port() -> u16 {
    let [address] = free_ports().expect("a free port");
    address.port()
}

fn spawn(command: &dyn Fn() -> Command) -> Result<Child, String> {
    let mut command = command();
    let name = command.get_program().to_string_lossy().into_owned();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().map_err(|error| format!("{name} does not start: {error}"))
}

/// A process with several threads is stopped a little after the signal: until each thread is, one may still answer.
fn until_stopped(process: u32) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let is_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // proc(5): the state is behind the name, which is in parentheses.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 't', 'Z', 'X']))
    };
    loop {
        let mut tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        if tasks.all(is_stopped) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "process {process} does not stop");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
