//! `flotilla deploy --dry-run`: what a deploy would do.

use std::process::ExitCode;

use flotilla_api::deploy::DryRun;

use crate::client;
use crate::exit::Exit;
use crate::plain::print;

/// Prints it. The exit code is that of the deploy: unchanged when nothing differs, refused when keys are missing.
pub(super) fn show(found: &DryRun, as_json: bool) -> ExitCode {
    if as_json {
        client::json(found);
    } else {
        print(&text(found));
    }
    let exit = match () {
        () if !found.missing.is_empty() => Exit::Refused,
        () if found.base.as_ref() == Some(&found.revision) => Exit::Unchanged,
        () => Exit::Done,
    };
    exit.into()
}

fn text(found: &DryRun) -> String {
    let from = found.base.as_ref().map_or("no revision".to_owned(), |base| format!("revision {base}"));
    let mut text = format!("from {from} to {}\ndiffers: {}\n", found.revision, found.diff.summary());
    let mut list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            text += &format!("{title}\n");
            lines.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    };
    list("restarts in each replica", &found.effects.restarts);
    list("loses what it holds", &found.effects.lose_state);
    list("begins", &found.effects.begin);
    list("ends", &found.effects.end);
    let findings = |finding: &flotilla_flows::Finding| {
        format!("{}: {} \"{}\": {}", finding.severity, finding.kind, finding.name, finding.what)
    };
    list("the review finds, new", &found.findings.iter().map(findings).collect::<Vec<_>>());
    list("has no value yet; the deploy would be refused", &found.missing);
    text
}

#[cfg(test)]
mod tests {
    use flotilla_api::revision::{KeyChange, RevisionDiff};
    use flotilla_flows::Effects;

    use super::*;

    #[test]
    fn it_is_told_in_a_few_lines() {
        let found = DryRun {
            base: Some("aaaa".to_owned()),
            revision: "bbbb".to_owned(),
            diff: RevisionDiff { env: [("HOST".to_owned(), KeyChange::Changed)].into(), ..RevisionDiff::default() },
            effects: Effects {
                restarts: vec!["function \"calc\" on Plant".to_owned()],
                lose_state: vec!["function \"calc\" on Plant".to_owned()],
                begin: vec!["route GET /new".to_owned()],
                end: Vec::new(),
            },
            findings: Vec::new(),
            missing: vec!["env TOKEN".to_owned()],
        };
        insta::assert_snapshot!(text(&found), @r#"
        from revision aaaa to bbbb
        differs: env HOST
        restarts in each replica
          function "calc" on Plant
        loses what it holds
          function "calc" on Plant
        begins
          route GET /new
        has no value yet; the deploy would be refused
          env TOKEN
        "#);
    }
}
