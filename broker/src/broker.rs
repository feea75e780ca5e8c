//! A running broker: start, status, shutdown.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use flotilla_codec::agreed::hash_text;
use flotilla_tasks::Task;
use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{field::display, info};

use crate::{
    auth::Auth,
    config::Config,
    listener::{Addresses, Listeners, Shared},
    metrics,
    router::{Router, Stats, Status},
    start_error::StartError,
    writer::{Writer, restore},
};

/// A running broker. Dropping it stops the listeners; [`Broker::shutdown`] ends it in order.
#[derive(Debug)]
pub struct Broker {
    shared: Shared,
    addresses: Addresses,
    writer: Option<Writer>,
}

/// A look into a running broker.
#[derive(Debug, Clone)]
pub struct View {
    router: Arc<Mutex<Router>>,
}

impl View {
    /// What the broker holds right now.
    pub fn status(&self) -> Status {
        self.router.lock().status()
    }

    /// A process that its clients named at CONNECT ([`PROCESS`](flotilla_codec::agreed::PROCESS)) has ended: what it held of share groups goes to others
    /// without the wait for its return.
    pub fn process_ended(&self, process: &str) {
        self.router.lock().process_ended(hash_text(process));
    }

    /// Why nothing can be written to `persist`, and so nothing is acknowledged, if that is so.
    pub fn disk_trouble(&self) -> Option<String> {
        self.router.lock().disk_trouble()
    }

    /// Its share groups and their members as gauges in Prometheus' text format: those that there are now. The other
    /// metrics go to the process's recorder.
    pub fn group_metrics(&self) -> String {
        metrics::groups(&self.status())
    }
}

/// How often timers are looked at: the precision of will delays and expiries.
const TICK: Duration = Duration::from_millis(50);

/// How often metrics are brought up to date.
const REPORT: Duration = Duration::from_secs(1);

impl Broker {
    /// Binds the listeners and serves.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// use flotilla_broker::{Broker, Config};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    /// let broker = Broker::start(Config { listen, ..Config::default() }).await?;
    /// assert_ne!(broker.tcp_addr().port(), 0);
    /// assert!(broker.status().groups.is_empty());
    /// broker.shutdown(Duration::from_secs(1)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let (listeners, addresses) = Listeners::bind(&config).await?;
        let auth = Arc::new(Auth::read(&config)?);
        let config = Arc::new(config);
        let restored = config.persist.as_deref().map(restore).transpose()?;
        let shared = Shared {
            router: Arc::new(Mutex::new(Router::new(Arc::clone(&config)))),
            config,
            auth,
            slots: Arc::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let writer = match restored {
            Some(restored) => Some(Writer::start(restored, &shared.router)?),
            None => None,
        };
        shared.tasks.spawn(clock("broker timers", "nothing expires any more").supervise(keep_time(shared.clone())));
        shared.tasks.spawn(clock("broker metrics", "metrics stand still").supervise(report(shared.clone())));
        listeners.serve(&shared);
        let (tls, websocket) = (addresses.tls.map(display), addresses.websocket.map(display));
        info!(address = %addresses.tcp, tls, websocket, "broker listens");
        Ok(Self { shared, addresses, writer })
    }

    /// Where the TCP listener is.
    pub fn tcp_addr(&self) -> SocketAddr {
        self.addresses.tcp
    }

    /// Where the TLS listener is, if there is one.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.addresses.tls
    }

    /// Where the WebSocket listener is, if there is one.
    pub fn ws_addr(&self) -> Option<SocketAddr> {
        self.addresses.websocket
    }

    /// What the broker holds right now.
    pub fn status(&self) -> Status {
        self.shared.router.lock().status()
    }

    /// A look into the broker that can be handed on.
    pub fn view(&self) -> View {
        View { router: Arc::clone(&self.shared.router) }
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        self.shared.router.lock().stats().clone()
    }

    /// Stops listening, tells clients (DISCONNECT 0x8B on MQTT 5), writes what waits for them, and
    /// returns when every connection is closed or `deadline` has passed.
    pub async fn shutdown(mut self, deadline: Duration) {
        self.shared.stop.cancel();
        self.shared.router.lock().stop();
        self.shared.tasks.close();
        if tokio::time::timeout(deadline, self.shared.tasks.wait()).await.is_err() {
            info!(open = self.shared.tasks.len(), "connections are cut off at the deadline");
        }
        if let Some(writer) = self.writer.take() {
            writer.finish().await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.router.lock().stop();
    }
}

fn clock(name: &'static str, failure: &'static str) -> Task {
    Task { name, owner: "broker".into(), ends: "the broker stops", failure }
}

/// Hands out metrics until the broker stops.
async fn report(shared: Shared) {
    let mut interval = tokio::time::interval(REPORT);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = interval.tick() => {
                let (stats, totals) = {
                    let router = shared.router.lock();
                    (router.stats().clone(), router.totals())
                };
                metrics::report(&stats, &totals);
            }
        }
    }
}

/// Runs timers until the broker stops.
async fn keep_time(shared: Shared) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = interval.tick() => shared.router.lock().tick(),
        }
    }
}
