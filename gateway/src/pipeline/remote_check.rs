//! The gates before a group of another installation.

use flotilla_flows::Document;
use flotilla_group::pipeline::{Hop, HopPlan, RemoteStage, ReviewGate, Run, StageSpec};
use flotilla_group::revision::Revision;

use super::check::{effects_told, findings_told, is_same_code};
use super::driver::PipelineDriver;
use super::remote_reach::trouble;
use super::trouble::Trouble;
use crate::installation::text;

impl PipelineDriver {
    /// What would happen there, and why that must not be, if so.
    pub(super) async fn check_far(
        &self,
        run: &Run,
        hop: &Hop,
        stage: &StageSpec,
        there: &RemoteStage,
        source: &Revision,
    ) -> Result<(HopPlan, Option<String>), Trouble> {
        let far = self.reach(run, stage, there).await?;
        let fault = |fault| trouble(fault, run, stage);
        let transfer = self.transfer_of(run, hop, stage, source).await?;
        let will = far.dry_run(&transfer).await.map_err(fault)?;
        let mut found = will.findings;
        if stage.gates.review != ReviewGate::Off {
            let mut broken = self.does_not_compile(&source.flows).await?;
            if let Some(base) = will.base.as_ref().filter(|_| !broken.is_empty()) {
                // What the group has already is no reason to keep the rest away from it.
                let old = Document::from_value(far.revision(base).await.map_err(fault)?.flows).unwrap_or_default();
                let new = Document::from_value(source.flows.clone()).unwrap_or_default();
                broken.retain(|finding| !is_same_code(finding, &old, &new));
            }
            found.extend(broken);
        }
        let (tests, closed) = self.judge(hop, stage, source, &found).await?;
        let plan = HopPlan {
            differs: format!("{} (group {})", text(will.diff.summary()), there.place()),
            effects: effects_told(will.effects),
            findings: findings_told(&found),
            tests,
            missing: will.missing,
        };
        Ok((plan, closed))
    }

    /// Keys that have no value there now.
    pub(super) async fn missing_far(
        &self,
        run: &Run,
        hop: &Hop,
        stage: &StageSpec,
        there: &RemoteStage,
    ) -> Result<Vec<String>, Trouble> {
        let far = self.reach(run, stage, there).await?;
        let transfer = self.transfer_of(run, hop, stage, &self.source(hop).await?).await?;
        Ok(far.dry_run(&transfer).await.map_err(|fault| trouble(fault, run, stage))?.missing)
    }
}
