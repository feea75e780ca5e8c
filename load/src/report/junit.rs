//! Results as JUnit XML: a test case for each threshold.

use super::results::Results;
use super::xml::escaped;

/// One `testsuite` with a `testcase` a threshold, and one for the run itself, so that a run without thresholds shows.
pub fn junit(results: &Results) -> String {
    let suite = escaped(&format!("load: {}", results.name));
    let failed = results.thresholds.iter().filter(|checked| !checked.passed).count();
    let all = results.thresholds.len() + 1;
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{all}\" failures=\"{failed}\" errors=\"0\">\n  \
         <testsuite name=\"{suite}\" tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{:.3}\">\n    \
         <testcase classname=\"{suite}\" name=\"ran\" time=\"{:.3}\">\n      <system-out>{}</system-out>\n    </testcase>\n",
        results.seconds,
        results.seconds,
        escaped(&super::text(results)),
    );
    for checked in &results.thresholds {
        let name = escaped(&checked.threshold);
        text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{name}\""));
        if checked.passed {
            text.push_str("/>\n");
        } else {
            let message = escaped(&format!("{} does not hold: {}", checked.threshold, checked.shown));
            text.push_str(&format!(
                ">\n      <failure type=\"threshold\" message=\"{message}\">{message}</failure>\n    </testcase>\n"
            ));
        }
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}
