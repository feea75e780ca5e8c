//! Users, tokens, sessions of pages, and whose replicas are.

/// All users.
pub(crate) const USERS: &str = "user/";

/// A user.
pub(crate) fn user(name: &str) -> String {
    format!("{USERS}{name}")
}

/// All tokens of users.
pub(crate) const TOKENS: &str = "token/";

/// A token, by its identifier.
pub(crate) fn token(id: &str) -> String {
    format!("{TOKENS}{id}")
}

/// When a token was last used.
pub(crate) fn token_used(id: &str) -> String {
    format!("token-used/{id}")
}

/// A session of a page, by its identifier.
pub(crate) fn page_session(id: &str) -> String {
    format!("page-session/{id}")
}

/// A sign-in at a provider that has not come back, by the hash of its state.
pub(crate) fn sign_in(digest: &str) -> String {
    format!("sign-in/{digest}")
}

/// All join tokens.
pub(crate) const JOINS: &str = "join/";

/// A join token, by its identifier.
pub(crate) fn join(id: &str) -> String {
    format!("{JOINS}{id}")
}

/// All replicas that are somebody's.
pub(crate) const OWNED: &str = "host/";

/// Whose a replica is.
pub(crate) fn host(replica: &str) -> String {
    format!("{OWNED}{replica}")
}
