//! SARIF 2.1.0, as code scanning reads it.

use std::collections::BTreeMap;

use flotilla_flows::{Finding, Severity};
use serde_json::{Value, json};

use super::place::Files;
use super::render::name;

/// One run with a rule a code and a result a finding. Results are at the line of the node's id.
pub(super) fn sarif(findings: &[Finding], files: &Files) -> Value {
    let codes: BTreeMap<&str, &Finding> = findings.iter().rev().map(|finding| (&*finding.code, finding)).collect();
    let rule = |(code, finding): (&&str, &&Finding)| {
        json!({
            "id": code,
            "shortDescription": {"text": code.replace('-', " ")},
            "help": {"text": finding.advice},
            "defaultConfiguration": {"level": level(finding.severity)},
        })
    };
    let at = |code: &str| codes.keys().position(|known| *known == code);
    let result = |finding: &Finding| {
        let (path, line) = files.place(&finding.node);
        let Finding { code, kind, tab, what, advice, severity, node, .. } = finding;
        json!({
            "ruleId": code,
            "ruleIndex": at(code),
            "level": level(*severity),
            "message": {"text": format!("{kind} \"{}\" on tab \"{tab}\": {what}. {advice}", name(finding))},
            "locations": [{
                "physicalLocation": {"artifactLocation": {"uri": uri(path)}, "region": {"startLine": line}},
                "logicalLocations": [{"name": name(finding), "fullyQualifiedName": node, "kind": "object"}],
            }],
            // A finding stays the same one when lines move.
            "partialFingerprints": {"flotillaNode/v1": format!("{code}/{node}")},
        })
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Flotilla",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(rule).collect::<Vec<_>>(),
            }},
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
