//! The gates that look at what comes: what it would do, the review, the flow's tests.

use flotilla_flows::{DeployType, Document, Effects, Finding, Severity, effects, review, shown_url};
use flotilla_group::pipeline::{Hop, HopPlan, ReviewGate, Run, StageSpec};
use flotilla_group::revision::Revision;

use super::driver::PipelineDriver;
use super::take::{ANY, at_work};
use super::trouble::Trouble;
use crate::admin::plan_transfer;

/// Lines of a list in a run's record at most.
const LINES: usize = 100;

impl PipelineDriver {
    /// What would happen at the stage, and why that must not be, if so.
    pub(super) async fn check(&self, run: &Run) -> Result<(HopPlan, Option<String>), Trouble> {
        let (hop, stage, _) = at_work(run)?;
        let source = self.source(hop).await?;
        if let Some(there) = &stage.remote {
            return self.check_far(run, hop, stage, there, &source).await;
        }
        let Some(group) = &stage.group else { return self.check_push(hop, stage, &source).await };
        let plan = plan_transfer(&self.api, group, &source, &stage.own_settings).await?;
        let mut old = Document::from_value(plan.old.flows.clone()).unwrap_or_default();
        old.set_node_settings(&plan.old.nodes);
        let diff = plan.old.diff(&plan.new, self.api.key().await?.as_deref())?;
        let names: Vec<String> = diff.env.keys().cloned().collect();
        let deploy_type = if diff.settings.is_empty() { DeployType::default() } else { DeployType::Full };
        let will = effects(&old, &plan.document, deploy_type, &names);
        let known = review(&old);
        let mut found = review(&plan.document);
        if stage.gates.review != ReviewGate::Off {
            found.extend(self.does_not_compile(&plan.new.flows).await?);
        }
        // What the stage has already is no reason to keep the rest away from it.
        found.retain(|finding| !known.contains(finding) && !is_same_code(finding, &old, &plan.document));
        let (tests, fault) = self.judge(hop, stage, &source, &found).await?;
        let plan = HopPlan {
            differs: diff.summary(),
            effects: effects_told(will),
            findings: findings_told(&found),
            tests,
            missing: plan.new.missing,
        };
        Ok((plan, fault))
    }

    /// What a push to a repository has to pass: the review of all of it, and the tests.
    async fn check_push(
        &self,
        hop: &Hop,
        stage: &StageSpec,
        source: &Revision,
    ) -> Result<(HopPlan, Option<String>), Trouble> {
        let document = Document::from_value(source.flows.clone()).map_err(|error| Trouble::Fails(error.to_string()))?;
        let mut found = review(&document);
        if stage.gates.review != ReviewGate::Off {
            found.extend(self.does_not_compile(&source.flows).await?);
        }
        let (tests, fault) = self.judge(hop, stage, source, &found).await?;
        let git = stage.git.clone().unwrap_or_default();
        let differs = format!("goes to branch {} of {}", git.push.unwrap_or_default(), shown_url(&git.url));
        let findings = findings_told(&found);
        Ok((HopPlan { differs, findings, tests, ..HopPlan::default() }, fault))
    }

    /// How the tests went, and why it cannot go on, if so.
    pub(super) async fn judge(
        &self,
        hop: &Hop,
        stage: &StageSpec,
        source: &Revision,
        found: &[Finding],
    ) -> Result<(String, Option<String>), Trouble> {
        let counts = |finding: &&Finding| match stage.gates.review {
            ReviewGate::Off => false,
            ReviewGate::Errors => finding.severity == Severity::Error,
            ReviewGate::Warnings => finding.severity != Severity::Info,
        };
        if let Some(finding) = found.iter().find(counts) {
            return Ok((String::new(), Some(format!("the review finds: {}", line(finding)))));
        }
        if !stage.gates.tests {
            return Ok((String::new(), None));
        }
        let Some(kept) = self.api.revisions(ANY)?.tests(&hop.source).await? else {
            let fault = format!(
                "revision {} has no tests: deploy it with `flotilla deploy FLOWS.json --tests TESTS.json`",
                hop.source
            );
            return Ok((String::new(), Some(fault)));
        };
        let ended = self.flow_tests(source, &kept).await?;
        let fault = (!ended.passed).then(|| format!("the flow's tests fail: {}", ended.failures));
        Ok((ended.summary, fault))
    }

    /// Keys that have no value at the stage now.
    pub(super) async fn missing(&self, run: &Run) -> Result<Vec<String>, Trouble> {
        let (hop, stage, _) = at_work(run)?;
        if let Some(there) = &stage.remote {
            return self.missing_far(run, hop, stage, there).await;
        }
        let Some(group) = &stage.group else { return Ok(Vec::new()) };
        let source = self.source(hop).await?;
        Ok(plan_transfer(&self.api, group, &source, &stage.own_settings).await?.new.missing)
    }
}

/// Whether a finding is of code that does not compile and was there before.
pub(super) fn is_same_code(finding: &Finding, old: &Document, new: &Document) -> bool {
    let code = |document: &Document| document.get(&finding.node).map(|node| node.props.clone());
    finding.code == "does-not-compile" && code(old) == code(new)
}

/// What restarts, loses state, begins and ends, for a run's record.
pub(super) fn effects_told(will: Effects) -> Vec<String> {
    let groups = [
        ("restarts", will.restarts),
        ("loses what it holds", will.lose_state),
        ("begins", will.begin),
        ("ends", will.end),
    ];
    let told = groups.into_iter().flat_map(|(what, lines)| lines.into_iter().map(move |at| format!("{what}: {at}")));
    told.take(LINES).collect()
}

/// Findings, for a run's record.
pub(super) fn findings_told(found: &[Finding]) -> Vec<String> {
    found.iter().map(line).take(LINES).collect()
}

fn line(finding: &Finding) -> String {
    let name = if finding.name.is_empty() { &finding.node } else { &finding.name };
    format!("{}: {} \"{name}\": {}", finding.severity, finding.kind, finding.what)
}
