//! Users and their tokens in the store.

mod identity;
mod joins;
mod password;
mod random;
mod tokens;
mod users;

pub use identity::{Accounts, Known};
pub use joins::{Joined, Joins};
pub use password::{BadPassword, Hash};
pub use tokens::Tokens;
pub use users::{UserRecord, Users};
