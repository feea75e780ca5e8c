//! `flotilla test`: a user's own tests of a flow. Messages go in at nodes, and what arrives at nodes, what fails, what
//! nodes show and what context holds is compared with what is expected.
//!
//! Every test has an engine of its own with the whole flow in it. Nodes that reach out of the process are isolated: see
//! [`Role`]. All other nodes are those that serve real flows; nothing behaves differently here.

mod case;
mod check;
mod exchange;
mod isolate;
mod matcher;
mod nodes;
mod outcome;
mod read;
mod record;
mod run;

pub use case::{Answer, Case, ContextValue, Expect, Expectation, Inject, Input, Request, Suite, Whose};
pub use isolate::Role;
pub use matcher::{Matcher, Mismatch};
pub use nodes::{NodeInfo, Nodes};
pub use outcome::{Failure, Outcome};
pub use read::{Problem, Unreadable, read};
pub use run::{Bench, RunError};
