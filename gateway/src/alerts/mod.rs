//! Alerts: one gateway watches each group, raises them, and sends them.

mod gauges;
mod watcher;
mod webhook;

pub use gauges::Gauges;
pub use watcher::{Backlog, Watcher};
pub use webhook::{Webhook, WebhookError};
