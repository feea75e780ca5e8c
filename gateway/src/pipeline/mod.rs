//! Takes the steps of pipelines' runs.

mod check;
mod child;
mod compile;
mod deploy;
mod driver;
mod flow_tests;
mod git;
mod remote_away;
mod remote_bring;
mod remote_check;
mod remote_reach;
mod remote_take;
mod take;
mod trouble;
mod turn;

pub use driver::PipelineDriver;
