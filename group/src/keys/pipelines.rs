//! Pipelines and their runs.

/// All pipelines.
pub(crate) const PIPELINES: &str = "pipeline/";

/// A pipeline.
pub(crate) fn pipeline(name: &str) -> String {
    format!("{PIPELINES}{name}")
}

/// The runs of all pipelines.
pub(crate) const PIPELINE_RUNS: &str = "pipeline-run/";

/// The runs of a pipeline.
pub(crate) fn pipeline_runs(name: &str) -> String {
    format!("{PIPELINE_RUNS}{name}/")
}

/// A run of a pipeline.
pub(crate) fn pipeline_run(name: &str, number: u64) -> String {
    format!("{PIPELINE_RUNS}{name}/{number:012}")
}

/// How many runs a pipeline ever had.
pub(crate) fn pipeline_count(name: &str) -> String {
    format!("pipeline-count/{name}")
}

/// For what runs of a pipeline were begun once.
pub(crate) fn pipeline_onces(name: &str) -> String {
    format!("pipeline-once/{name}/")
}

/// For what a run of a pipeline was begun once.
pub(crate) fn pipeline_once(name: &str, once: &str) -> String {
    format!("{}{once}", pipeline_onces(name))
}

/// The tokens of all pipelines' stages, sealed.
pub(crate) const PIPELINE_TOKENS: &str = "pipeline-tokens/";

/// The tokens of a pipeline's stages, sealed.
pub(crate) fn pipeline_tokens(name: &str) -> String {
    format!("{PIPELINE_TOKENS}{name}")
}

/// The lease on a pipeline's next step.
pub(crate) fn pipeline_lease(name: &str) -> String {
    format!("pipeline/{name}")
}
