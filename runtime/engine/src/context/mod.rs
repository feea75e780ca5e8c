//! Context: what flows remember. `memory` is local to the replica; other stores are plugged in by name.

mod answers;
mod contexts;
mod error;
mod memory;
mod scope;
mod shared;
mod store;

pub use contexts::{ContextRef, Contexts};
pub use error::ContextError;
pub use memory::MemoryStore;
pub use scope::ScopeKey;
pub use shared::SharedStore;
pub use store::ContextStore;
