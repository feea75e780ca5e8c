//! Machines as network namespaces of this one: each has an address of its own, and can be cut off from the others.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// A bridge, and a namespace for each machine on it. Dropped, all of it is removed, with what runs in there.
pub struct Network {
    /// Tells it from other ones of this machine: its addresses are 198.18.NUMBER.0/24 (RFC 2544, for tests of networks).
    number: u8,
    hosts: Vec<String>,
}

impl Network {
    /// True where one can be made: by root, with `ip` of iproute2, and where the kernel lets it.
    pub fn is_possible() -> bool {
        Network::start().and_then(|mut network| network.add("probe")).is_ok()
    }

    /// Makes the bridge.
    pub fn start() -> anyhow::Result<Network> {
        // Whoever makes the bridge has its number.
        for number in 1..=254 {
            if Path::new(&format!("/sys/class/net/fl{number}b")).exists()
                || !ip(&words(&format!("link add fl{number}b type bridge")))?
            {
                continue;
            }
            let network = Network { number, hosts: Vec::new() };
            done(&format!("addr add {}/24 dev {}", network.address(), network.bridge()))?;
            done(&format!("link set {} up", network.bridge()))?;
            return Ok(network);
        }
        anyhow::bail!("no bridge can be made: this needs root, iproute2 and a kernel with bridges")
    }

    /// Where machines reach what listens on this side.
    pub fn address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(198, 18, self.number, 1))
    }

    /// Adds a machine.
    pub fn add(&mut self, host: &str) -> anyhow::Result<()> {
        ensure!(self.hosts.len() < 200, "one network has room for 200 machines");
        self.hosts.push(host.to_owned());
        let (outside, inside, space) = (self.outside(host)?, format!("fl{}e", self.number), self.space(host));
        let address = Ipv4Addr::new(198, 18, self.number, 1 + self.hosts.len() as u8);
        done(&format!("netns add {space}"))?;
        done(&format!("link add {outside} type veth peer name {inside} netns {space}"))?;
        done(&format!("link set {outside} master {} up", self.bridge()))?;
        done(&format!("-n {space} link set lo up"))?;
        done(&format!("-n {space} addr add {address}/24 dev {inside}"))?;
        done(&format!("-n {space} link set {inside} up"))
    }

    /// A command that runs on a machine. Its process is the program's.
    pub fn command(&self, host: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(host)]).arg(program);
        command
    }

    /// Cuts a machine off: it lives, and nothing reaches it.
    pub fn cut(&self, host: &str) -> anyhow::Result<()> {
        done(&format!("link set {} down", self.outside(host)?))
    }

    /// Joins a machine to the others again.
    pub fn join(&self, host: &str) -> anyhow::Result<()> {
        done(&format!("link set {} up", self.outside(host)?))
    }

    /// SIGKILL for everything on a machine.
    pub fn kill(&self, host: &str) -> anyhow::Result<()> {
        let output = Command::new("ip").args(["netns", "pids", &self.space(host)]).output()?;
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let pids: Vec<&str> = found.split_whitespace().collect();
        if !pids.is_empty() {
            // One of them may have ended since.
            Command::new("kill").arg("-KILL").args(pids).stderr(Stdio::null()).status()?;
        }
        Ok(())
    }

    fn bridge(&self) -> String {
        format!("fl{}b", self.number)
    }

    fn space(&self, host: &str) -> String {
        format!("fl{}-{host}", self.number)
    }

    fn outside(&self, host: &str) -> anyhow::Result<String> {
        let index = self.hosts.iter().position(|known| known == host).with_context(|| format!("no machine {host}"))?;
        Ok(format!("fl{}v{index}", self.number))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = self.kill(host);
            // The other end of its cable goes with it.
            let _ = ip(&["netns", "del", &self.space(host)]);
        }
        let _ = ip(&["link", "del", &self.bridge()]);
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Runs `ip`; true when it succeeded.
fn ip(args: &[&str]) -> anyhow::Result<bool> {
    let output = Command::new("ip").args(args).stdin(Stdio::null()).output().context("`ip` is needed (iproute2)")?;
    Ok(output.status.success())
}

fn done(line: &str) -> anyhow::Result<()> {
    let output = Command::new("ip").args(words(line)).output().context("`ip` is needed (iproute2)")?;
    ensure!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
