//! Pipelines: a revision goes from stage to stage, with gates on the way.

mod change;
mod run;
mod spec;

pub use change::{NewRun, StageToken, Verdict};
pub use run::{Approval, Hop, HopPlan, Phase, Run, Step};
pub use spec::{Action, Gates, GitStage, Layout, PipelineSpec, RemoteStage, ReviewGate, StageSpec, Window};
