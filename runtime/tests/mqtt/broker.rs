//! A real Mosquitto on a free port, and its command-line clients.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::ports;

/// Long enough for a loaded machine: only a hang takes it.
pub const LIMIT: Duration = Duration::from_secs(60);

pub struct Broker {
    pub port: u16,
    child: Child,
    dir: tempfile::TempDir,
    /// ClientIDs of collectors that have a session here.
    known: Mutex<HashSet<String>>,
}

/// Waits for a condition.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

impl Broker {
    pub fn start() -> Broker {
        let [address] = ports::free_ports().unwrap();
        let port = address.port();
        let dir = tempfile::tempdir().unwrap();
        let child = Broker::spawn(port, &dir);
        let broker = Broker { port, child, dir, known: Mutex::default() };
        broker.wait();
        broker
    }

    fn spawn(port: u16, dir: &tempfile::TempDir) -> Child {
        let config = dir.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\npersistence true\npersistence_location {}/\nuser root\n",
            dir.path().display()
        );
        std::fs::write(&config, text).unwrap();
        Command::new("mosquitto")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need mosquitto: apt-get install mosquitto mosquitto-clients")
    }

    fn wait(&self) {
        until("mosquitto listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Stops it with its state on disk, and starts it again.
    pub fn restart(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
        self.child = Broker::spawn(self.port, &self.dir);
        self.wait();
    }

    /// Publishes numbered lines at this QoS.
    pub fn publish(&self, topic: &str, qos: u8, lines: std::ops::Range<usize>) {
        let mut publisher = Command::new("mosquitto_pub")
            .args(["-p", &self.port.to_string(), "-t", topic, "-q", &qos.to_string(), "-l"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = publisher.stdin.take().unwrap();
        for line in lines {
            writeln!(stdin, "{line}").unwrap();
        }
        drop(stdin);
        assert!(publisher.wait().unwrap().success());
    }

    /// Collects what comes on a topic.
    pub fn subscribe(&self, topic: &str, qos: u8) -> Lines {
        let id = format!("collector-{}-{}", topic.replace(['/', '#'], "_"), self.port);
        let (port, qos) = (self.port.to_string(), qos.to_string());
        let args = ["-p", &port, "-t", topic, "-q", &qos, "-i", &id, "-c"];
        assert_ne!(qos, "0", "what comes between the two runs waits at the broker at QoS 1 and 2 only");
        // The first run makes the session and ends with SUBACK (-E). One that is there already has messages: they are for the second.
        if self.known.lock().unwrap().insert(id.clone()) {
            let first = Command::new("mosquitto_sub").args(args).arg("-E").stdout(Stdio::null()).status().unwrap();
            assert!(first.success(), "mosquitto_sub -E: {first}");
        }
        // Line by line: a pipe is buffered by the page otherwise.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
        Lines { child, lines }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a collector has received.
pub struct Lines {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    pub fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The numbers that have come, without doubles.
    pub fn numbers(&self) -> std::collections::BTreeSet<usize> {
        self.all().iter().filter_map(|line| line.parse().ok()).collect()
    }

    /// Waits until every number of the range has come.
    pub fn expect(&self, range: std::ops::Range<usize>) {
        let end = Instant::now() + LIMIT;
        while self.numbers().len() < range.len() {
            let missing: Vec<_> = range.clone().filter(|n| !self.numbers().contains(n)).collect();
            assert!(Instant::now() < end, "{} of {} are missing: {missing:?}", missing.len(), range.len());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
