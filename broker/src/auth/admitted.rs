//! What is known of a client whose CONNECT passed the checks.

use std::sync::Arc;

use super::Rights;

/// A CONNECT that shows who it is from.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The user, with the right password; none where there are no users, and for anonymous clients.
    pub user: Option<Arc<str>>,
    /// ClientID.
    pub id: Arc<str>,
    /// The client left the ClientID to the broker.
    pub assigned: bool,
    /// What it may publish and subscribe; `None` is everything.
    pub rights: Option<Arc<Rights>>,
}
