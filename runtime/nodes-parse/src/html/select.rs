//! Finding elements.

use std::collections::HashSet;

use ego_tree::NodeId;
use scraper::{ElementRef, Html};

use super::query::{Filter, Query, Relation, Step};

/// The elements of a document that a query finds, in the document's order.
pub(super) fn select<'a>(document: &'a Html, query: &Query) -> Vec<ElementRef<'a>> {
    let all: Vec<ElementRef<'a>> = document.tree.nodes().filter_map(ElementRef::wrap).collect();
    run(&in_order(document, &all), query)
}

/// Nodes are numbered as they are made; moved ones (misplaced table content) come back into the tree's order here.
fn in_order<'a>(document: &'a Html, all: &[ElementRef<'a>]) -> Vec<ElementRef<'a>> {
    let mut ordered = Vec::with_capacity(all.len());
    ordered.extend(document.tree.root().descendants().filter_map(ElementRef::wrap));
    ordered
}

fn run<'a>(within: &[ElementRef<'a>], query: &Query) -> Vec<ElementRef<'a>> {
    let mut found: HashSet<NodeId> = HashSet::new();
    for steps in query {
        let mut set: Vec<ElementRef<'a>> = Vec::new();
        for step in steps {
            set = follow(within, set, step);
            for filter in &step.filters {
                set = apply(within, set, filter);
            }
        }
        found.extend(set.iter().map(|element| element.id()));
    }
    within.iter().filter(|element| found.contains(&element.id())).copied().collect()
}

fn follow<'a>(within: &[ElementRef<'a>], set: Vec<ElementRef<'a>>, step: &Step) -> Vec<ElementRef<'a>> {
    let mut found: HashSet<NodeId> = HashSet::new();
    match step.relation {
        Relation::Start => return within.iter().filter(|element| step.css.matches(element)).copied().collect(),
        Relation::Same => return set.into_iter().filter(|element| step.css.matches(element)).collect(),
        Relation::Inside => {
            for scope in &set {
                let inside = scope.descendent_elements().filter(|e| step.css.matches_with_scope(e, Some(*scope)));
                found.extend(inside.map(|element| element.id()));
            }
        }
        Relation::After => {
            for scope in &set {
                let after = scope.next_siblings().filter_map(ElementRef::wrap);
                found
                    .extend(after.filter(|e| step.css.matches_with_scope(e, Some(*scope))).map(|element| element.id()));
            }
        }
    }
    within.iter().filter(|element| found.contains(&element.id())).copied().collect()
}

fn apply<'a>(within: &[ElementRef<'a>], set: Vec<ElementRef<'a>>, filter: &Filter) -> Vec<ElementRef<'a>> {
    let length = set.len() as i64;
    // A negative place counts from the end, as in jQuery.
    let place = |at: i64| if at < 0 { at + length } else { at };
    let keep = |wanted: &dyn Fn(i64) -> bool| {
        set.iter().enumerate().filter(|(at, _)| wanted(*at as i64)).map(|(_, element)| *element).collect()
    };
    match filter {
        Filter::At(at) => keep(&|index| index == place(*at)),
        Filter::Greater(at) => keep(&|index| index > place(*at)),
        Filter::Less(at) => keep(&|index| index < place(*at)),
        Filter::Even => keep(&|index| index % 2 == 0),
        Filter::Odd => keep(&|index| index % 2 == 1),
        Filter::Contains(text, any_case) => set
            .into_iter()
            .filter(|element| {
                let found: String = element.text().collect();
                if *any_case { found.to_lowercase().contains(&text.to_lowercase()) } else { found.contains(text) }
            })
            .collect(),
        Filter::Not(query) => {
            let out: HashSet<NodeId> = run(&set, query).iter().map(|element| element.id()).collect();
            set.into_iter().filter(|element| !out.contains(&element.id())).collect()
        }
        Filter::Has(query) => {
            let inner: HashSet<NodeId> = run(within, query).iter().map(|element| element.id()).collect();
            set.into_iter()
                .filter(|element| element.descendent_elements().skip(1).any(|inside| inner.contains(&inside.id())))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    const PAGE: &str = "<p class=a>x<b>c</b></p><p id=two data-x=1>second</p><ul><li>1<li>2<li>3</ul><a href='#'>l</a>";

    fn found(selector: &str) -> String {
        let document = Html::parse_document(PAGE);
        match parse(selector) {
            Ok(query) => {
                let texts: Vec<String> =
                    select(&document, &query).iter().map(|element| element.text().collect()).collect();
                texts.join("|")
            }
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn css_and_what_jquery_adds() {
        for (selector, texts) in [
            ("p", "xc|second"),
            ("a, p:first", "xc|l"),
            ("p:eq(1)", "second"),
            ("li:last", "3"),
            ("ul li:eq(-1)", "3"),
            ("li:even", "1|3"),
            ("li:odd", "2"),
            ("li:gt(0)", "2|3"),
            ("li:lt(2)", "1|2"),
            ("p:contains(\"second\")", "second"),
            ("p:icontains(SECOND)", "second"),
            ("p:has(b)", "xc"),
            ("li:not(:first)", "2|3"),
            ("li:nth-child(2)", "2"),
            ("p:first > b", "c"),
            ("p:first + p", "second"),
            ("ul > :first", "1"),
            ("li:gt(0):first", "2"),
            ("[data-x=1]", "second"),
            ("p[class!=a]", "second"),
            ("p:not([data-x=1])", "xc"),
            (":header", ""),
            ("p:parent", "xc|second"),
            ("p:first.a", "xc"),
        ] {
            assert_eq!(found(selector), texts, "{selector}");
        }
        for selector in ["", "p[", "p::text", "li:eq(x)", "p,", ":not(", "p:contains('"] {
            assert_eq!(found(selector), "refused", "{selector}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(selector in "(p|li|:first|:eq\\(|1|\\)|:not\\(|:has\\(|\\[|=|\\]|\"| |>|,|\\+|~|\\.a|#|:contains\\(|é|\\\\){0,10}") {
            found(&selector);
        }
    }
}
