//! JUnit XML, as CI servers read it.

use std::time::Duration;

use super::report::{Report, line};
use flotilla_load::report::xml_escaped as escaped;

/// One `testsuite` with a `testcase` a test.
pub fn junit(report: &Report<'_>) -> String {
    let (all, failed, time) = (report.outcomes.len(), report.failed(), seconds(report.took()));
    let suite = escaped(report.suite);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{all}\" failures=\"{failed}\" errors=\"0\" time=\"{time}\">\n  \
         <testsuite name=\"{suite}\" tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{time}\">\n"
    );
    for outcome in report.outcomes {
        let (name, time) = (escaped(&outcome.name), seconds(outcome.took));
        text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{time}\""));
        if outcome.passed() {
            text.push_str("/>\n");
            continue;
        }
        text.push_str(">\n");
        // One element, whatever went wrong: many readers take only the first.
        let lines = outcome.failures.iter().flat_map(|failure| {
            let found = failure.found.iter().map(|found| format!("  {found}"));
            std::iter::once(line(failure)).chain(found)
        });
        text.push_str(&format!(
            "      <failure type=\"flotilla\" message=\"{}\">{}</failure>\n",
            escaped(&outcome.failures.first().map(line).unwrap_or_default()),
            escaped(&lines.collect::<Vec<_>>().join("\n"))
        ));
        if !outcome.log.is_empty() {
            text.push_str(&format!("      <system-out>{}</system-out>\n", escaped(&outcome.log.join("\n"))));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}
