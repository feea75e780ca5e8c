//! Node-RED's admin API, over a group: existing scripts, `node-red-admin` and editors deploy with it.
//!
//! Source: Node-RED 4.1, `@node-red/editor-api` and `@node-red/runtime`. A deploy is a revision and a rollout; it is answered
//! when it is recorded, with where the rollout is.

pub(super) mod auth;
pub(super) mod context;
pub(super) mod flow;
pub(super) mod flows;
pub(super) mod info;
pub(super) mod inject;
pub(super) mod nodes;
mod problem;
mod tabs;
