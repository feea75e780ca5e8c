//! A broker inside the test's process.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_broker::{Broker, Config, Stats, Status};
use tokio::runtime::Runtime;

/// A broker on a free port, with threads of its own. Dropped, it ends.
pub struct TestBroker {
    runtime: Runtime,
    broker: Option<Broker>,
}

impl TestBroker {
    /// Starts one with the defaults, but for what `change` does.
    pub fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
        change(&mut config);
        let runtime = Runtime::new().expect("a runtime for the broker");
        let broker = runtime.block_on(Broker::start(config)).expect("the broker starts on a free port");
        Self { runtime, broker: Some(broker) }
    }

    /// Starts one that is expected to refuse; why it does.
    pub fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
        change(&mut config);
        let runtime = Runtime::new().expect("a runtime for the broker");
        match runtime.block_on(Broker::start(config)) {
            Ok(_) => panic!("the broker started"),
            Err(error) => error.to_string(),
        }
    }

    fn broker(&self) -> &Broker {
        self.broker.as_ref().expect("it runs until it is dropped")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.broker().tcp_addr()
    }

    /// Where its WebSocket listener is.
    pub fn ws_address(&self) -> Option<SocketAddr> {
        self.broker().ws_addr()
    }

    /// What it holds.
    pub fn status(&self) -> Status {
        self.broker().status()
    }

    /// It is told that a process has ended.
    pub fn process_ended(&self, process: &str) {
        self.broker().view().process_ended(process);
    }

    /// What it counted.
    pub fn stats(&self) -> Stats {
        self.broker().stats()
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        if let Some(broker) = self.broker.take() {
            self.runtime.block_on(broker.shutdown(Duration::from_secs(5)));
        }
    }
}
