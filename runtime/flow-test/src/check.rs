//! Comparing what happened with what was expected.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use flotilla_engine::context::Contexts;
use flotilla_value::Value;

use super::case::{Case, Expect};
use super::matcher::{Budget, Matcher, Mismatch, show};
use super::nodes::Nodes;
use super::outcome::Failure;
use super::record::Events;

/// So many messages of a node are shown.
const SHOWN: usize = 5;

/// What a test is compared with.
pub(super) struct Check<'a> {
    pub(super) case: &'a Case,
    pub(super) nodes: &'a Nodes,
    pub(super) contexts: &'a Arc<Contexts>,
}

impl Check<'_> {
    /// What is wrong, as far as one can tell by now.
    pub(super) fn failures(&self, events: &Events) -> Vec<Failure> {
        let mut failures = Vec::new();
        // How many messages of each node earlier expectations have taken.
        let mut taken: HashMap<&str, usize> = HashMap::new();
        let budgets: Vec<Budget> = self.case.expect.iter().map(|_| Budget::default()).collect();
        for (expectation, budget) in self.case.expect.iter().zip(&budgets) {
            let wrong = match &expectation.what {
                Expect::Messages { node, msgs, any_order } => {
                    let first = taken.entry(node).or_default();
                    let wrong = self.messages(events, node, msgs, *any_order, *first, budget);
                    *first += msgs.len();
                    wrong
                }
                Expect::Count { node, count } => self.count(events, node, *count),
                Expect::Order(nodes) => self.order(events, nodes),
                Expect::Error { node, message } => self.error(events, node.as_deref(), message, budget),
                Expect::Status { node, status } => self.status(events, node, status, budget),
                Expect::Response { number, response } => answer(events, *number, response, budget),
                Expect::Context { whose, store, key, value } => {
                    let found = self.contexts.scope(whose.scope.clone()).get(key, store.as_deref());
                    let found = found.unwrap_or_else(|error| Value::from(error.to_string()));
                    value
                        .check_within(&found, budget)
                        .err()
                        .map(|mismatch| (format!("{} context \"{key}\": {mismatch}", whose.label), Vec::new()))
                }
            };
            failures.extend(wrong.map(|(message, found)| Failure { place: expectation.place.clone(), message, found }));
        }
        failures.extend(self.unexpected_errors(events, &budgets));
        failures
    }

    fn label(&self, id: &str) -> String {
        self.nodes.get(id).map_or_else(|| id.to_owned(), |node| format!("\"{}\"", node.label()))
    }

    fn messages(
        &self,
        events: &Events,
        node: &str,
        wanted: &[Matcher],
        any_order: bool,
        first: usize,
        budget: &Budget,
    ) -> Option<(String, Vec<String>)> {
        let found: Vec<&Value> = arrived(events, node).collect();
        let next = found.get(first..).unwrap_or_default();
        let label = self.label(node);
        if any_order {
            let next = next.get(..wanted.len()).unwrap_or(next);
            let row = |wanted: &Matcher| next.iter().map(|msg| wanted.check_within(msg, budget)).collect::<Vec<_>>();
            let checked: Vec<Vec<Result<(), Mismatch>>> = wanted.iter().map(row).collect();
            let left = unmatched(&checked)?;
            let why = undecided(&checked[left]);
            return Some((format!("{label} did not get a message with {}{why}", wanted[left]), listed(&found)));
        }
        for (at, wanted) in wanted.iter().enumerate() {
            let number = first + at + 1;
            match next.get(at).map(|msg| wanted.check_within(msg, budget)) {
                Some(Ok(())) => {}
                Some(Err(mismatch)) => {
                    return Some((format!("message {number} at {label}: {mismatch}"), listed(&found)));
                }
                None => {
                    let got = match found.len() {
                        0 => "nothing arrived".to_owned(),
                        1 => "only one message arrived".to_owned(),
                        many => format!("only {many} messages arrived"),
                    };
                    return Some((
                        format!("message {number} at {label} did not come ({got}): expected {wanted}"),
                        listed(&found),
                    ));
                }
            }
        }
        None
    }

    fn count(&self, events: &Events, node: &str, wanted: usize) -> Option<(String, Vec<String>)> {
        let found: Vec<&Value> = arrived(events, node).collect();
        let wrong = || {
            let expected = if wanted == 0 { "nothing".to_owned() } else { wanted.to_string() };
            format!("{}: expected {expected} to arrive, {} arrived", self.label(node), found.len())
        };
        (found.len() != wanted).then(|| (wrong(), listed(&found)))
    }

    fn order(&self, events: &Events, nodes: &[String]) -> Option<(String, Vec<String>)> {
        let mut left = nodes.iter();
        let mut next = left.next();
        for (node, _) in &events.arrivals {
            if next.is_some_and(|wanted| wanted == node.as_str()) {
                next = left.next();
            }
        }
        let missing = next?;
        let mut seen: Vec<&str> = Vec::new();
        for (node, _) in &events.arrivals {
            if nodes.iter().any(|wanted| wanted == node.as_str()) && seen.last() != Some(&node.as_str()) {
                seen.push(node);
            }
        }
        let wanted: Vec<String> = nodes.iter().map(|node| self.label(node)).collect();
        let seen: Vec<String> = seen.into_iter().take(nodes.len() + SHOWN).map(|node| self.label(node)).collect();
        let seen = if seen.is_empty() { "nothing arrived".to_owned() } else { seen.join(", ") };
        let message =
            format!("expected the order {}, but after that {} got nothing", wanted.join(", "), self.label(missing));
        Some((message, vec![format!("order: {seen}")]))
    }

    fn error(
        &self,
        events: &Events,
        node: Option<&str>,
        message: &Matcher,
        budget: &Budget,
    ) -> Option<(String, Vec<String>)> {
        let reported = events.errors.iter().map(|(source, error)| (source, error));
        let logged = events.uncaught.iter().map(|(source, _, error)| (source, error));
        let mut all: Vec<(&str, &Value)> =
            reported.chain(logged).map(|(source, error)| (source.as_str(), error)).collect();
        all.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
        let meant = all.iter().filter(|(source, _)| node.is_none_or(|node| node == *source));
        let why = none_is(message, meant.map(|(_, error)| Value::String(error.to_text())), budget)?;
        let who = node.map_or_else(|| "a node".to_owned(), |node| self.label(node));
        let found = all
            .iter()
            .take(SHOWN)
            .map(|(source, error)| format!("error of {}: {}", self.label(source), error.to_text()));
        Some((format!("{who} did not report the error: {message}{why}"), found.collect()))
    }

    fn status(&self, events: &Events, node: &str, wanted: &Matcher, budget: &Budget) -> Option<(String, Vec<String>)> {
        let found: Vec<&Value> =
            events.statuses.iter().filter(|(source, _)| source == node).map(|(_, status)| status).collect();
        let why = none_is(wanted, found.iter().copied(), budget)?;
        Some((format!("{} did not show the status: {wanted}{why}", self.label(node)), listed(&found)))
    }

    /// Errors that nobody caught and no expectation speaks of.
    fn unexpected_errors(&self, events: &Events, budgets: &[Budget]) -> Vec<Failure> {
        let expected = |source: &str, error: &Value| {
            self.case.expect.iter().zip(budgets).any(|(expectation, budget)| match &expectation.what {
                Expect::Error { node, message } => {
                    let meant = node.as_deref().is_none_or(|node| node == source);
                    meant && message.check_within(&Value::String(error.to_text()), budget).is_ok()
                }
                _ => false,
            })
        };
        let unexpected = events.uncaught.iter().filter(|(source, _, error)| !expected(source, error));
        unexpected
            .map(|(_, name, error)| Failure {
                place: String::new(),
                message: format!("error of {name} that nothing caught: {}", error.to_text()),
                found: Vec::new(),
            })
            .collect()
    }
}

fn answer(events: &Events, number: usize, wanted: &Matcher, budget: &Budget) -> Option<(String, Vec<String>)> {
    let of = format!("the answer to request {}", number + 1);
    match events.responses.get(&number) {
        None => Some((format!("{of} did not come: expected {wanted}"), Vec::new())),
        Some(Err(why)) => Some((format!("{of} did not come: {why}"), Vec::new())),
        Some(Ok(response)) => {
            let mismatch = wanted.check_within(response, budget).err()?;
            Some((format!("{of}: {mismatch}"), vec![format!("answer: {}", show(response))]))
        }
    }
}

/// Says it when one of these may be what was wanted, and it is not known.
fn undecided(checked: &[Result<(), Mismatch>]) -> String {
    let found = checked.iter().find_map(|one| one.as_ref().err().filter(|mismatch| mismatch.undecided));
    found.map_or_else(String::new, |mismatch| format!(" ({mismatch})"))
}

/// Nothing when one of these is what was wanted; else what is to be added as in [`undecided`].
fn none_is<V: Borrow<Value>>(wanted: &Matcher, values: impl Iterator<Item = V>, budget: &Budget) -> Option<String> {
    let mut unknown = None;
    for value in values {
        let value: &Value = value.borrow();
        match wanted.check_within(value, budget) {
            Ok(()) => return None,
            Err(mismatch) if mismatch.undecided => unknown = unknown.or(Some(Err(mismatch))),
            Err(_) => {}
        }
    }
    Some(undecided(unknown.as_slice()))
}

fn arrived<'e>(events: &'e Events, node: &'e str) -> impl Iterator<Item = &'e Value> {
    events.arrivals.iter().filter(move |(id, _)| id == node).map(|(_, msg)| msg)
}

fn listed(found: &[&Value]) -> Vec<String> {
    let mut lines: Vec<String> =
        found.iter().take(SHOWN).enumerate().map(|(at, value)| format!("{}: {}", at + 1, show(value))).collect();
    if found.len() > SHOWN {
        lines.push(format!("... and {} more", found.len() - SHOWN));
    }
    lines
}

/// The first matcher that no message is left for, when each message stands for one matcher (augmenting paths). For each
/// matcher, how each message compares with it.
fn unmatched(checked: &[Vec<Result<(), Mismatch>>]) -> Option<usize> {
    fn place(at: usize, fits: &[Vec<bool>], seen: &mut [bool], taken: &mut [Option<usize>]) -> bool {
        for found in 0..taken.len() {
            if fits[at][found] && !std::mem::replace(&mut seen[found], true) {
                let free = taken[found].is_none_or(|other| place(other, fits, seen, taken));
                if free {
                    taken[found] = Some(at);
                    return true;
                }
            }
        }
        false
    }
    let found = checked.first().map_or(0, Vec::len);
    let fits: Vec<Vec<bool>> = checked.iter().map(|row| row.iter().map(Result::is_ok).collect()).collect();
    let mut taken = vec![None; found];
    (0..checked.len()).find(|at| !place(*at, &fits, &mut vec![false; found], &mut taken))
}
