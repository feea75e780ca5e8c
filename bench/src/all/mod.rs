//! Every comparison in one run on one machine, written to `bench/RESULTS.md` with charts.

mod brokers;
mod chart;
mod echo;
mod failover;
mod functions;
mod gateway;
mod group;
mod growth;
mod http;
mod idle;
mod inside;
mod markdown;
mod mqtt;
mod run;
mod table;

pub use echo::EchoArgs;
pub use http::HyperArgs;
pub use run::AllArgs;

pub use echo::run as echo;
pub use http::serve as hyper;
pub use run::run;
