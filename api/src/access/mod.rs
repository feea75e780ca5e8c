//! Who may use the API: roles, users and tokens.

mod grant;
mod join;
mod token;
mod user;

pub use grant::{BadGrant, Grant, Role};
pub use join::{JoinToken, MadeJoinToken, NewJoinToken};
pub use token::{Access, MadeToken, NewToken, Token, Whoami};
pub use user::{Login, NewPassword, NewUser, Roles, User};
