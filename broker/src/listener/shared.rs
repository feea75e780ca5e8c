//! What all connections share.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Slots;
use crate::{auth::Auth, config::Config, router::Router};

/// What every connection needs.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Settings.
    pub config: Arc<Config>,
    /// The state of the broker.
    pub router: Arc<Mutex<Router>>,
    /// Who may connect.
    pub auth: Arc<Auth>,
    /// Open connections.
    pub slots: Arc<Slots>,
    /// Cancelled at shutdown: listeners stop.
    pub stop: CancellationToken,
    /// Every task, so that a shutdown can wait for them.
    pub tasks: TaskTracker,
}

#[cfg(test)]
impl Shared {
    /// Those of a broker that nobody listens for.
    pub fn of(config: Config) -> Shared {
        let config = Arc::new(config);
        Shared {
            router: Arc::new(Mutex::new(Router::new(Arc::clone(&config)))),
            auth: Arc::new(Auth::read(&config).expect("no users")),
            config,
            slots: Arc::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }
}
