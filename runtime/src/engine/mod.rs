//! The engine: workers, the nodes that live on them, and how messages get from one to the next.

mod cx;
mod deploy;
mod engine_type;
mod env;
mod extensions;
mod inert;
mod node;
mod place;
mod report;
mod route;
mod schedule;
mod scope;
mod shared;
mod slot;
mod start;
mod stop;
mod subflow;
mod worker;

pub use cx::NodeCx;
pub use deploy::{DeployError, DeployMode, DeployReport, NodeProblem};
pub use engine_type::{ALLOW_UNKNOWN, Credentials, Engine, EngineParts};
pub use extensions::Extensions;
pub(crate) use inert::Inert;
pub use node::{Build, ConfigNode, Deny, Node, NodeError, NodeType};
pub use schedule::{Alone, Claim, KEEP_START, Schedule, Tick};
pub use scope::Scope;
pub use shared::Shared;
pub(crate) use shared::now_ms;
pub use slot::Slot;
pub use worker::{Worker, WorkerHandle};
