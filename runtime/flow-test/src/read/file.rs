//! A tests file and its tests.

use std::time::Duration;

use super::super::case::{Case, Expect, Input, Suite};
use super::super::isolate::Role;
use super::super::nodes::Nodes;
use super::cursor::{Cursor, Fields, Source};
use super::problem::{Problem, Unreadable};
use super::{expect, inject};

/// How long a test may take when it does not say.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What may stand in the file as well as in a test; the test's own comes on top.
const COMMON: [&str; 5] = ["env", "context", "live", "answers", "timeout"];

/// Reads a tests file for these nodes.
///
/// # Errors
/// Everything that is wrong with it, with line and column.
pub fn read(text: &str, nodes: &Nodes) -> Result<Suite, Unreadable> {
    let json = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|error| {
        let reason = error.to_string();
        let message = format!("not valid JSON: {}", reason.split(" at line ").next().unwrap_or_default());
        Unreadable(vec![Problem { line: error.line(), column: error.column(), field: String::new(), message }])
    })?;
    let source = Source { text, problems: std::cell::RefCell::default() };
    let suite = suite(&Cursor::new(&source, &json), nodes);
    let mut problems = source.problems.into_inner();
    if problems.is_empty() {
        return Ok(suite);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems.dedup();
    Err(Unreadable(problems))
}

fn suite(at: &Cursor<'_>, nodes: &Nodes) -> Suite {
    let known: Vec<&str> = COMMON.into_iter().chain(["settings", "tests"]).collect();
    let Some(fields) = at.fields(&known) else { return Suite::default() };
    let mut common = Case { timeout: TIMEOUT, ..Case::default() };
    read_common(&fields, nodes, &mut common);
    let mut suite = Suite::default();
    if let Some(settings) = fields.get("settings") {
        settings.entries();
        suite.settings = settings.json.as_object().cloned().unwrap_or_default();
    }
    let Some(tests) = fields.need("tests") else { return suite };
    let items = tests.items();
    if items.is_empty() && tests.json.is_array() {
        tests.problem("there is no test in it");
    }
    suite.cases = items.iter().filter_map(|test| case(test, nodes, &common)).collect();
    suite
}

fn case(at: &Cursor<'_>, nodes: &Nodes, common: &Case) -> Option<Case> {
    let known: Vec<&str> = COMMON.into_iter().chain(["name", "quiet", "inject", "expect"]).collect();
    let fields = at.fields(&known)?;
    let mut case = common.clone();
    case.name = fields.need("name").and_then(|name| name.text()).unwrap_or_default().to_owned();
    read_common(&fields, nodes, &mut case);
    if let Some(quiet) = fields.get("quiet").and_then(|quiet| quiet.seconds()) {
        case.quiet = quiet;
    }
    if let Some(messages) = fields.get("inject") {
        case.inject = messages.items().iter().filter_map(|message| inject::inject(message, nodes)).collect();
    }
    if let Some(expected) = fields.need("expect") {
        case.expect = expected.items().iter().flat_map(|one| expect::expectations(one, nodes)).collect();
        number_responses(&mut case, &expected);
    }
    Some(case)
}

/// The first `response` is that of the first request, and so on.
fn number_responses(case: &mut Case, at: &Cursor<'_>) {
    let asked = case.inject.iter().filter(|inject| matches!(inject.what, Input::Request(_)));
    let asked: usize = asked.map(|inject| inject.times as usize).sum();
    let mut next = 0;
    for expectation in &mut case.expect {
        if let Expect::Response { number, .. } = &mut expectation.what {
            *number = next;
            next += 1;
        }
    }
    if next > asked {
        at.problem(format!("expects {next} responses, but {asked} requests go in: see \"request\" of \"inject\""));
    }
}

fn read_common(fields: &Fields<'_>, nodes: &Nodes, case: &mut Case) {
    if let Some(timeout) = fields.get("timeout").and_then(|timeout| timeout.seconds()) {
        case.timeout = timeout;
    }
    for (name, value) in fields.get("env").iter().flat_map(Cursor::entries) {
        match value.json.as_str() {
            Some(text) => drop(case.env.insert(name.to_owned(), text.to_owned())),
            None => value.is_not("a text: environment variables are texts"),
        }
    }
    if let Some(context) = fields.get("context") {
        case.context.extend(inject::context(&context, nodes));
    }
    for name in fields.get("live").iter().flat_map(Cursor::items) {
        case.live.extend(live(&name, nodes));
    }
    for (name, value) in fields.get("answers").iter().flat_map(Cursor::entries) {
        if let Some((node, answers)) = inject::answers(name, &value, nodes) {
            case.answers.insert(node, answers);
        }
    }
}

fn live(at: &Cursor<'_>, nodes: &Nodes) -> Option<String> {
    let node = inject::node(at, nodes)?;
    if Role::of(&node.kind).is_none() && node.kind != "inject" {
        at.problem(format!("{} \"{}\" is not isolated: it always runs for real", node.kind, node.label()));
        return None;
    }
    if node.kind == "http in" {
        at.problem(format!("http in \"{}\" runs for real in tests that inject a \"request\"", node.label()));
        return None;
    }
    if node.kind == "websocket-listener" {
        at.problem(format!(
            "websocket-listener \"{}\" cannot run for real here: there is no HTTP server in a test",
            node.label()
        ));
        return None;
    }
    Some(node.id.clone())
}
