//! Takes the steps of pipelines' runs.

mod check;
mod child;
mod compile;
mod deploy;
mod driver;
mod flow_tests;
mod git;
mod remote;
mod take;
mod trouble;
mod turn;

pub use driver::PipelineDriver;
