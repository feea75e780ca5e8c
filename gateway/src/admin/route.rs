//! One route.

use axum::http::Method;
use flotilla_group::rights::Right;

use super::versioned::Versioned;

/// A route: who may use it is in `docs/rights.md`, and which version it changes in `docs/api.md`; tests make both from all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{group}` and other parts in braces.
    pub path: &'static str,
    /// What a request needs. Where the path has `{group}`, in that group; outside of `/api/v1` in the gateway's own.
    pub right: Right,
    /// What it shows or changes the version of. Each `PUT` and `DELETE` of `/api/v1` says it, or why there is none.
    pub versioned: Option<Versioned>,
}
