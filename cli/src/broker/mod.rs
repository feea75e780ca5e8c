//! `flotilla broker`: the MQTT broker as a process of its own, and what it can be asked.

mod args;
mod passwd;
mod run;
mod serve;
mod status;

pub use args::BrokerArgs;
pub use run::run;
pub use status::routes as status_routes;
