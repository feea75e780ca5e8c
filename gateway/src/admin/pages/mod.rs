//! Pages for browsers: signing in, one's account.

pub(super) mod account;
mod form;
mod layout;
pub(super) mod oidc;
pub(super) mod sign_in;
mod visitor;
