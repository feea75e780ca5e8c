//! Why a change of placements is refused. Below all that can be refused so, as the error of the crate has it.

use std::fmt;

/// Why a change of placements is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlacementError {
    /// There is no such server group.
    #[error("server group \"{0}\" could not be found: see `flotilla server-group list`")]
    NoServerGroup(String),
    /// There is one of this name.
    #[error("server group \"{0}\" already exists and cannot be changed: delete it first")]
    ServerGroupExists(String),
    /// Its rules do not fit its policy.
    #[error("{0}")]
    BadRules(String),
    /// A group is in one server group at a time.
    #[error("group \"{group}\" is already in server group \"{server_group}\": a group can be in only one")]
    InServerGroup {
        /// The group.
        group: String,
        /// Where it is.
        server_group: String,
    },
    /// An upgrade cannot begin, or is none.
    #[error("{why}")]
    Upgrade {
        /// For scripts.
        code: &'static str,
        /// Why not and what to do.
        why: String,
    },
    /// No host takes a member.
    #[error(transparent)]
    NoValidHost(#[from] NoValidHost),
}

/// No host takes a member. The first line is OpenStack's; then a line a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoValidHost {
    /// Each host and what is in the way there.
    pub hosts: Vec<(String, String)>,
}

impl fmt::Display for NoValidHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("No valid host was found.")?;
        if self.hosts.is_empty() {
            f.write_str("\n  there is no host: start `flotilla agent --host NAME` on a machine")?;
        }
        for (host, why) in &self.hosts {
            write!(f, "\n  {host}: {why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoValidHost {}
