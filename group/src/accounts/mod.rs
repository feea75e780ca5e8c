//! Users and their tokens in the store.

mod identity;
mod joins;
mod password;
mod random;
mod secret;
mod sessions;
mod tokens;
mod users;

pub use identity::{Accounts, InSession, Known};
pub use joins::{Joined, Joins};
pub use password::{BadPassword, Hash};
pub use sessions::{Opened, Sessions};
pub use tokens::Tokens;
pub use users::{External, UserRecord, Users};
