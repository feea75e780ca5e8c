//! How a connection ended.

/// How a connection ended.
pub(super) enum End {
    /// We closed it.
    Closed,
    /// We closed it so that the server sends what was abandoned to someone.
    Recycle,
    /// The server says that somebody else connected under this ClientID.
    Taken,
    /// The ClientID is another's: nothing is ended, and this process does not connect again.
    Yielded,
    /// The server redispatches: connect with the short keep alive.
    Short,
    /// The server does not speak this version.
    Version,
    /// It was lost or refused, and why.
    Lost(String),
}

impl End {
    pub(super) fn lost(why: impl ToString) -> End {
        End::Lost(why.to_string())
    }
}
