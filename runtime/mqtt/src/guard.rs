//! Whether this process may still use a ClientID that others take up when they hold it for dead.

use std::time::Duration;

use futures::future::BoxFuture;

/// Whether this process may still use a ClientID. Outside a group nobody else wants it, and there is no guard.
pub trait Guard: Send + Sync + std::fmt::Debug {
    /// False when this process has not looked for so long that another may have taken the ClientID up: after a pause.
    fn is_current(&self) -> bool;
    /// Looks, for a bounded time. False when the ClientID is another's.
    fn until_current(&self) -> BoxFuture<'static, bool>;
    /// Before a connection. `taken`: the server said that somebody else has connected under the ClientID; then this waits
    /// until it is known whose it is, however long. Otherwise it does not wait for a store that is away. False when the
    /// ClientID is another's.
    fn may_connect(&self, taken: bool) -> BoxFuture<'static, bool>;
    /// True when a ClientID that is another's may become this process's again: the client waits for that.
    fn comes_back(&self) -> bool {
        false
    }
}

/// What becomes of a session that this process stops to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parting {
    /// It unsubscribes, finishes what came, and ends the session: others consume.
    #[default]
    End,
    /// Nobody else consumes: nothing is unsubscribed, what came is finished, and the session stays at the server for as
    /// long as it was made for.
    Hold,
    /// The same, and the server keeps the session for this long.
    Keep(Duration),
    /// As [`Parting::Keep`], and this process goes on with the session later: nobody else takes it up while it lives.
    Pause(Duration),
    /// It is another's by now, or will be: this process lets go at once and ends nothing.
    Yield,
}
