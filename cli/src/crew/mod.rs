//! The replicas of this machine: started, watched, started again and stopped; kept through a restart of who watches them.

mod backoff;
mod child;
mod command;
mod crew;
mod handover;
mod heart;
mod keep;
mod living;
mod printer;
mod slot;

pub use command::{Program, ReplicaCommand};
pub use crew::Crew;
pub use handover::{FILE as HANDOVER, Handover, hand_over, taken_over};
pub use heart::Heart;
pub use keep::keep_running;
pub use living::Living;
pub use printer::Printer;
pub use slot::Slot;
