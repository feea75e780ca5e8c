//! Tokens and authorities of stages that are groups of other installations.

use std::path::Path;

use flotilla_api::Client;
use flotilla_api::pipeline::{PipelineSpec, StageToken};

use crate::exit::{Exit, Failure};
use crate::flow_files::{text_or_stdin, usage};

/// Tokens by stage, from files and variables.
pub(super) struct Tokens(Vec<(String, String)>);

impl Tokens {
    /// Reads them, and sees that each is of a stage of the pipeline that wants one.
    pub(super) fn read(
        spec: &PipelineSpec,
        files: &[(String, String)],
        variables: &[(String, String)],
    ) -> anyhow::Result<Tokens> {
        let mut all = Vec::new();
        for (stage, file) in files {
            all.push((known(spec, "--token-file", stage)?, of_file(Path::new(file))?));
        }
        for (stage, name) in variables {
            all.push((known(spec, "--token-env", stage)?, of_variable(name)?));
        }
        Ok(Tokens(all))
    }

    /// Gives them to the stages of a pipeline that was added.
    pub(super) async fn give(self, client: &Client, pipeline: &str) -> anyhow::Result<()> {
        for (stage, token) in self.0 {
            give(client, pipeline, &stage, token).await?;
        }
        Ok(())
    }
}

/// Puts the authorities of files into the stages of a pipeline.
pub(super) fn with_authorities(spec: &mut PipelineSpec, files: &[(String, String)]) -> anyhow::Result<()> {
    for (stage, file) in files {
        known(spec, "--ca-file", stage)?;
        let text = text_or_stdin(Path::new(file)).map_err(usage)?;
        let there = spec.stages.iter_mut().find(|one| one.name == *stage).and_then(|stage| stage.remote.as_mut());
        if let Some(there) = there {
            there.ca = Some(text);
        }
    }
    Ok(())
}

/// Gives one stage its token.
pub(super) async fn give(client: &Client, pipeline: &str, stage: &str, token: String) -> anyhow::Result<()> {
    Ok(client.set_stage_token(pipeline, stage, &StageToken { token }).await?)
}

pub(super) fn of_file(file: &Path) -> anyhow::Result<String> {
    Ok(text_or_stdin(file).map_err(usage)?.trim().to_owned())
}

pub(super) fn of_variable(name: &str) -> anyhow::Result<String> {
    let value = std::env::var(name);
    value.map_err(|_| Failure::new(Exit::Usage, format!("--token-env: the variable {name} is not set")).into())
}

fn known(spec: &PipelineSpec, flag: &str, stage: &str) -> anyhow::Result<String> {
    let found = spec.stages.iter().any(|one| one.name == stage && one.remote.is_some());
    let message = || format!("{flag} {stage}: the pipeline has no remote stage with this name");
    found.then(|| stage.to_owned()).ok_or_else(|| Failure::new(Exit::Usage, message()).into())
}
