//! Who may connect, and what they may publish and subscribe.

mod acl;
mod admitted;
mod check;
mod error;
mod hash;
mod reach;
mod users;

pub use acl::{Acl, Rights};
pub use admitted::Admitted;
pub use check::Auth;
pub use error::AuthError;
pub use hash::hash_password;
