//! JUnit XML, as CI servers read it.

use flotilla_flows::Finding;

use super::render::name;
use flotilla_load::report::xml_escaped as escaped;

/// One `testsuite` with a `testcase` a finding; those that count are failures. Without findings there is one that passed.
pub(super) fn junit(suite: &str, findings: &[Finding], counts: impl Fn(&Finding) -> bool) -> String {
    let failed = findings.iter().filter(|finding| counts(finding)).count();
    let (suite, all) = (escaped(suite), findings.len().max(1));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{all}\" failures=\"{failed}\" errors=\"0\">\n  \
         <testsuite name=\"{suite}\" tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">\n"
    );
    if findings.is_empty() {
        text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"review\"/>\n"));
    }
    for finding in findings {
        let Finding { code, kind, tab, what, advice, severity, node, .. } = finding;
        let title = escaped(&format!("{kind} \"{}\" on tab \"{tab}\": {code}", name(finding)));
        let body = escaped(&format!("{severity}: {what}\n-> {advice}\nnode {node}"));
        text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{title}\">\n"));
        if counts(finding) {
            let what = escaped(what);
            text.push_str(&format!("      <failure type=\"{code}\" message=\"{what}\">{body}</failure>\n"));
        } else {
            text.push_str(&format!("      <system-out>{body}</system-out>\n"));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}
