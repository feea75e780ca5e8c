//! What a replica tells about itself while it runs.

mod debug_feed;
mod log;
mod node_view;
mod observer;
mod repeats;
mod timers;

pub use crate::ring::{Page, Ring};
pub use debug_feed::{DebugFeed, Debugged};
pub use log::{Level, LogEntry};
pub(crate) use node_view::NodeIdentity;
pub use node_view::{NodeCounts, NodeView, Shown};
pub use observer::{Observer, TracingObserver};
pub use repeats::{Back, Failed, Repeats};
pub use timers::{TimerView, Timers};
