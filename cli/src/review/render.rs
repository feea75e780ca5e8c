//! Findings for people.

use flotilla_flows::Finding;

/// Findings for people, most severe first, each with what happens and what to do.
pub(super) fn render(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "Nothing in this flow behaves differently at several replicas.\n".to_owned();
    }
    findings
        .iter()
        .map(|finding| {
            let tab = if finding.tab.is_empty() { String::new() } else { format!(" on tab \"{}\"", finding.tab) };
            format!(
                "{:<8}{} \"{}\"{tab}\n        {}\n        -> {}\n",
                finding.severity.to_string(),
                finding.kind,
                name(finding),
                finding.what,
                finding.advice
            )
        })
        .collect()
}

/// The name of the node, or its id.
pub(super) fn name(finding: &Finding) -> &str {
    if finding.name.is_empty() { &finding.node } else { &finding.name }
}
