//! Pipelines: a revision goes from stage to stage, with gates on the way.

mod check;
mod decide;
mod once;
mod run;
mod runs;
mod specs;
mod tokens;
mod window;

pub use check::check;
pub use decide::{Next, RunContext, next};
pub use flotilla_api::pipeline::{
    Action, Approval, Gates, GitStage, Hop, HopPlan, Layout, NewRun, Phase, PipelineSpec, RemoteStage, ReviewGate, Run,
    StageSpec, StageToken, Step, Verdict, Window,
};
pub use run::{Steps, Taken, begin};
pub use runs::Runs;
pub use specs::Pipelines;
pub use tokens::StageTokens;
pub use window::opens;
