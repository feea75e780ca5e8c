//! The group that faults are run on: one that the command line named, found and never guessed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compose::Compose;
use super::schedule::Kind;
use super::up::Up;
use crate::run::Handle;

/// See the module.
pub enum Group {
    /// Of a `flotilla up`.
    Up(Up),
    /// Of a compose file.
    Compose(Compose),
}

/// Why a fault cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// Nothing runs there.
    #[error("no `flotilla up` runs with the data folder {0}: start it first, and name the same folder as its --data")]
    NoUp(String),
    /// No compose file.
    #[error("{0} is not a compose file with a service whose name has \"replica\" in it")]
    NoCompose(String),
    /// A kind that is none.
    #[error("faults.kinds: there is no fault \"{name}\"; there are {known}")]
    Kind {
        /// What was written.
        name: String,
        /// What there is.
        known: String,
    },
    /// A kind that this group cannot have.
    #[error("faults.kinds: {0}")]
    Impossible(&'static str),
    /// `deploy` without documents.
    #[error("faults.flows: name at least one flow document for \"deploy\"")]
    NoFlows,
    /// A command failed.
    #[error("{0}")]
    Failed(String),
    /// No replica is there at the moment.
    #[error("no replica runs at the moment")]
    Nobody,
}

impl Group {
    /// `up:DIR`, `compose:FILE`, or a path that is one of them.
    pub(super) fn find(name: &str) -> Result<Group, GroupError> {
        match name.split_once(':') {
            Some(("up", folder)) => Up::find(Path::new(folder)).map(Group::Up),
            Some(("compose", file)) => Compose::find(PathBuf::from(file)).map(Group::Compose),
            _ if Path::new(name).is_file() => Compose::find(PathBuf::from(name)).map(Group::Compose),
            _ => Up::find(Path::new(name)).map(Group::Up),
        }
    }

    /// Whether this kind of fault can be done to it.
    pub(super) fn can(&self, kind: Kind) -> Result<(), GroupError> {
        match (self, kind) {
            (Group::Up(_), Kind::Cut) => {
                Err(GroupError::Impossible("\"cut\" needs a network of its own: use a compose group"))
            }
            (Group::Up(_), Kind::RestartBroker) => Err(GroupError::Impossible(
                "\"restart-broker\" needs a broker of its own: that of `flotilla up` is in the supervisor's process",
            )),
            (Group::Compose(_), Kind::Deploy) => {
                Err(GroupError::Impossible("\"deploy\" is for groups of `flotilla up`"))
            }
            (Group::Compose(_), Kind::StopAll) => {
                Err(GroupError::Impossible("\"stop-all\" is for groups of `flotilla up`"))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn running(&self) -> Option<u32> {
        match self {
            Group::Up(up) => up.running(),
            Group::Compose(compose) => compose.running().await,
        }
    }

    pub(super) async fn kill(&self, pick: usize) -> Result<String, GroupError> {
        match self {
            Group::Up(up) => up.kill(pick),
            Group::Compose(compose) => compose.kill(pick).await,
        }
    }

    pub(super) async fn stop(&self, pick: usize, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        match self {
            Group::Up(up) => up.stop(pick, pause, handle).await,
            Group::Compose(compose) => compose.pause(pick, pause, handle).await,
        }
    }

    pub(super) async fn stop_all(&self, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        match self {
            Group::Up(up) => up.stop_all(pause, handle).await,
            Group::Compose(_) => Err(GroupError::Impossible("\"stop-all\" is for groups of `flotilla up`")),
        }
    }

    pub(super) async fn cut(&self, pick: usize, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        match self {
            Group::Up(_) => Err(GroupError::Impossible("\"cut\" needs a compose group")),
            Group::Compose(compose) => compose.cut(pick, pause, handle).await,
        }
    }

    pub(super) async fn restart_broker(&self) -> Result<String, GroupError> {
        match self {
            Group::Up(_) => Err(GroupError::Impossible("\"restart-broker\" needs a compose group")),
            Group::Compose(compose) => compose.restart_broker().await,
        }
    }

    pub(super) async fn deploy(&self, flows: &Path) -> Result<String, GroupError> {
        match self {
            Group::Up(up) => up.deploy(flows).await,
            Group::Compose(_) => Err(GroupError::Impossible("\"deploy\" is for groups of `flotilla up`")),
        }
    }

    pub(super) async fn scale(&self, replicas: u16) -> Result<String, GroupError> {
        match self {
            Group::Up(up) => up.scale(replicas).await,
            Group::Compose(compose) => compose.scale(replicas).await,
        }
    }
}
