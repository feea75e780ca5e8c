//! Elements as text: what they hold, the way cheerio gives it.

use std::fmt::Write as _;

use ego_tree::iter::Edge;
use html5ever::driver::{ParseOpts, parse_fragment};
use html5ever::tendril::TendrilSink;
use html5ever::{QualName, local_name, ns};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use flotilla_value::Object;

/// The element's content as HTML, without blanks around it.
pub(super) fn inner_html(element: ElementRef<'_>) -> String {
    element.inner_html().trim().to_owned()
}

/// The element's content as well-formed XML, which is what the html node gives for HTML.
pub(super) fn inner_xml(element: ElementRef<'_>) -> String {
    // Inside a template any element may stand, so parts of tables stay what they are.
    let context = QualName::new(None, ns!(html), local_name!("template"));
    let sink = HtmlTreeSink::new(Html::new_fragment());
    let fragment = parse_fragment(sink, ParseOpts::default(), context, Vec::new(), false).one(inner_html(element));
    let mut out = String::new();
    for edge in fragment.root_element().traverse().skip(1) {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(open) => {
                    let _ = write!(out, "<{}", open.name());
                    for (name, value) in open.attrs() {
                        let _ = write!(out, " {name}=\"{}\"", escape(value));
                    }
                    out.push_str(if node.has_children() { ">" } else { "/>" });
                }
                Node::Text(text) => out.push_str(&escape(text)),
                Node::Comment(comment) => {
                    let _ = write!(out, "<!--{}-->", &**comment);
                }
                _ => {}
            },
            Edge::Close(node) => {
                if let Node::Element(close) = node.value()
                    && node.has_children()
                    && node.id() != fragment.root_element().id()
                {
                    let _ = write!(out, "</{}>", close.name());
                }
            }
        }
    }
    out
}

/// The element's attributes.
pub(super) fn attributes(element: ElementRef<'_>) -> Object {
    element.value().attrs().collect()
}

/// As the `entities` package writes XML: its five entities, and numbers for what is not ASCII.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "&#x{:X};", c as u32);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::super::select::select;
    use super::*;

    fn xml(page: &str, selector: &str) -> String {
        let document = Html::parse_document(page);
        select(&document, &parse(selector).unwrap()).into_iter().map(inner_xml).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn content_is_well_formed() {
        assert_eq!(
            xml("<p> x &amp; \"q\" 'é<br>b<b>c</b></p>", "p"),
            "x &amp; &quot;q&quot; &apos;&#xE9;<br/>b<b>c</b>"
        );
        assert_eq!(xml("<table><tr><td k=v>1</table>", "table"), "<tbody><tr><td k=\"v\">1</td></tr></tbody>");
        assert_eq!(xml("<ul><li>1<li></ul>", "ul"), "<li>1</li><li/>");
        assert_eq!(xml("<div><!-- c --><img alt></div>", "div"), "<!-- c --><img alt=\"\"/>");
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = "<div>".repeat(2_000);
        assert!(xml(&deep, "div:first").len() > 2_000);
    }
}
