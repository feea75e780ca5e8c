//! The engine: workers, the nodes that live on them, and how messages get from one to the next.
//!
//! Imports go one way: `deploy` (what runs) → `worker` (threads, run queues) → `node` (what a node is and what it may do)
//! → `replica` (what all workers share) → the rest, of which none knows nodes.

pub mod catalog;
mod clock;
pub mod context;
mod deploy;
pub mod expression;
mod health;
pub mod message;
mod node;
pub mod observe;
pub mod props;
mod replica;
mod ring;
pub mod settings;
pub mod trail;
mod worker;

pub use clock::{OneMoment, now_ms};
pub use deploy::{ALLOW_UNKNOWN, Credentials, DeployError, DeployMode, DeployReport, Engine, EngineParts};
pub use health::{Beat, Canary, Health, NodeProblem, Pulse, Source, Verdict};
pub use node::{
    Built, Host, Identity, Inert, Node, NodeContexts, NodeCx, NodeError, NodeType, NodeTypes, Outputs, Reporter, Scope,
    Stateless, Work,
};
pub use replica::{Alone, Claim, ConfigNode, Extensions, KEEP_START, Schedule, Shared, Tick, WorkerHandle};
pub use worker::{Slot, Worker};
