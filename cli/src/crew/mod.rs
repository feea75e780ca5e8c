//! The replicas of this machine: started, watched, started again and stopped; kept through a restart of who watches them.

mod backoff;
mod child;
mod command;
mod crew;
mod handover;
mod heart;
mod keep;
mod living;
mod post;
mod printer;
mod slot;

pub use command::{Ended, Program, ReplicaCommand, process_text};
pub use handover::{FILE as HANDOVER, Handover, hand_over, taken_over};
pub use post::{Post, PostParts, Turn};
pub use printer::Printer;
