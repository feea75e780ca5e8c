//! `flotilla review`: what a flow does differently at several replicas, for people and for pipelines.

mod args;
mod html;
mod junit;
mod place;
mod render;
mod run;
mod sarif;

pub use args::ReviewArgs;
pub use run::run;
