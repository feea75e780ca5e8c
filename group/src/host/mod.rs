//! Hosts: machines with an agent that starts and watches the replicas placed there.

mod hosts;
mod registration;

pub use hosts::{Hosts, Known};
pub use registration::{Beat, HostRegistration};
