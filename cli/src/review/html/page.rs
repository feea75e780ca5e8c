//! The page around the canvases.

use std::fmt::Write as _;

use flotilla_flows::{Document, Finding, NodeConfig, Severity};
use flotilla_load::report::xml_escaped as escaped;

use super::canvas::{ByNode, canvas, word};
use super::label::{label, short};
use super::look::STYLE;

/// A page of its own: it loads nothing and runs no script. `name` is that of the document.
pub(crate) fn page(name: &str, document: &Document, findings: &[Finding]) -> String {
    let mut by_node = ByNode::new();
    for (number, finding) in findings.iter().enumerate() {
        by_node.entry(finding.node.as_str()).or_default().push((number, finding));
    }
    let mut body = String::new();
    let (mut tabs, mut told) = (Vec::new(), vec![false; findings.len()]);
    for tab in document.entries().iter().filter(|entry| matches!(entry.kind.as_str(), "tab" | "subflow")) {
        let here =
            |finding: &Finding| document.get(&finding.node).is_some_and(|node| node.z == tab.id || node.id == tab.id);
        let of_tab: Vec<(usize, &Finding)> = findings.iter().enumerate().filter(|(_, finding)| here(finding)).collect();
        let drawn = canvas(document, tab, &by_node);
        if drawn.is_none() && of_tab.is_empty() {
            continue;
        }
        tabs.push((tab, of_tab.len()));
        let _ = writeln!(body, "<section id=\"tab-{}\"><h2>{}</h2>", escaped(&tab.id), escaped(&title(tab)));
        body.push_str(drawn.as_deref().unwrap_or_default());
        for (number, _) in &of_tab {
            told[*number] = true;
        }
        list(&mut body, document, &of_tab);
        body.push_str("</section>\n");
    }
    let rest: Vec<(usize, &Finding)> = findings.iter().enumerate().filter(|(number, _)| !told[*number]).collect();
    if !rest.is_empty() {
        body.push_str("<section id=\"config\"><h2>Config nodes and the document</h2>\n");
        list(&mut body, document, &rest);
        body.push_str("</section>\n");
    }
    let name = escaped(name);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Review of {name}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Review of {name}</h1>\n\
         <p class=\"faint\">What this flow does differently when several replicas run it, drawn on the nodes. Flotilla {}.</p>\n\
         {}{}</header>\n<main>\n{body}</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        counts(findings),
        contents(&tabs, rest.len()),
    )
}

fn title(tab: &NodeConfig) -> String {
    let name = if tab.name.is_empty() { &tab.id } else { &tab.name };
    match (tab.kind.as_str(), tab.disabled) {
        ("subflow", _) => format!("Subflow: {name}"),
        (_, true) => format!("{name} (switched off)"),
        _ => name.clone(),
    }
}

fn counts(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "<p>Nothing in this flow behaves differently at several replicas.</p>\n".to_owned();
    }
    let mut text = "<div class=\"counts\">".to_owned();
    let kinds = [
        (Severity::Error, "errors", "a deploy refuses the flow, or the node cannot work"),
        (Severity::Warning, "warnings", "the flow behaves differently"),
        (Severity::Info, "notes", "worth knowing"),
    ];
    for (severity, plural, meaning) in kinds {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        let plural = if count == 1 { &plural[..plural.len() - 1] } else { plural };
        let _ = write!(
            text,
            "<span class=\"count\"><b class=\"{}\">{count} {plural}</b> <span class=\"faint\">{meaning}</span></span>",
            word(severity)
        );
    }
    text + "</div>\n"
}

fn contents(tabs: &[(&NodeConfig, usize)], rest: usize) -> String {
    let mut text = "<nav>".to_owned();
    let count = |count: usize| match count {
        0 => String::new(),
        1 => " <b title=\"1 finding\">1</b>".to_owned(),
        _ => format!(" <b title=\"{count} findings\">{count}</b>"),
    };
    for (tab, findings) in tabs {
        let _ = write!(text, "<a href=\"#tab-{}\">{}{}</a>", escaped(&tab.id), escaped(&title(tab)), count(*findings));
    }
    if rest > 0 {
        let _ = write!(text, "<a href=\"#config\">Config nodes{}</a>", count(rest));
    }
    text + "</nav>\n"
}

fn list(body: &mut String, document: &Document, findings: &[(usize, &Finding)]) {
    if findings.is_empty() {
        return;
    }
    body.push_str("<ol>\n");
    for (number, finding) in findings {
        let Finding { severity, code, node, kind, what, advice, .. } = finding;
        // A node without a name is called what the drawing calls it.
        let drawn = document.get(node).filter(|node| node.num("x").is_some() && node.num("y").is_some());
        let name = match drawn {
            _ if !finding.name.is_empty() => escaped(&finding.name),
            Some(drawn) => escaped(&short(&label(document, drawn))),
            None => escaped(node),
        };
        let is_drawn = drawn.is_some();
        let name = if is_drawn { format!("<a href=\"#node-{}\">{name}</a>", escaped(node)) } else { name };
        let _ = writeln!(
            body,
            "<li class=\"finding\" id=\"finding-{number}\"><span class=\"severity {}\">{severity}</span>\
             <span>{name}<br><span class=\"faint\">{} · {code}</span></span>\
             <span><p>{}</p><p class=\"faint\">{}</p></span></li>",
            word(*severity),
            escaped(kind),
            escaped(what),
            escaped(advice),
        );
    }
    body.push_str("</ol>\n");
}
