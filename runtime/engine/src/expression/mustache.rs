//! Mustache templates: filling them in.

use flotilla_value::Value;

use super::error::ExpressionError;
use super::mustache_parse::{Token, parse};

/// A template, parsed once.
#[derive(Clone, Debug)]
pub struct Template {
    tokens: Vec<Token>,
}

/// Where names come from when no view has them.
pub trait Lookup {
    /// The value of a name that the views do not have.
    ///
    /// # Errors
    /// When it cannot be read, for example because a context store is away.
    fn find(&self, name: &str) -> Result<Value, ExpressionError>;

    /// What becomes of a text from the message itself.
    fn found(&self, value: Value) -> Value {
        value
    }
}

/// No other names than those of the views.
pub struct Plain;

impl Lookup for Plain {
    fn find(&self, _name: &str) -> Result<Value, ExpressionError> {
        Ok(Value::Undefined)
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When a tag or section is not closed; the text is mustache.js's.
    pub fn parse(text: &str) -> Result<Template, ExpressionError> {
        Ok(Template { tokens: parse(text)? })
    }

    /// Fills the template in from a message.
    ///
    /// # Errors
    /// When a name cannot be looked up.
    pub fn render(&self, view: &Value, lookup: &dyn Lookup) -> Result<String, ExpressionError> {
        let mut out = String::new();
        render(&self.tokens, &mut vec![view.clone()], lookup, &mut out)?;
        Ok(out)
    }
}

fn render(
    tokens: &[Token],
    views: &mut Vec<Value>,
    lookup: &dyn Lookup,
    out: &mut String,
) -> Result<(), ExpressionError> {
    for token in tokens {
        match token {
            Token::Text(text) => out.push_str(text),
            Token::Variable { name, escaped } => {
                let value = find(name, views, lookup)?;
                if value.is_nullish() {
                    continue;
                }
                // mustache.js does not escape numbers.
                let text = value.to_text();
                match value {
                    Value::Number(_) => out.push_str(&text),
                    _ if *escaped => escape(&text, out),
                    _ => out.push_str(&text),
                }
            }
            Token::Section { name, inverted, inside } => {
                let value = find(name, views, lookup)?;
                let empty = !value.truthy() || value.as_array().is_some_and(<[Value]>::is_empty);
                match (inverted, &value) {
                    (true, _) if empty => render(inside, views, lookup, out)?,
                    (true, _) => {}
                    (false, _) if empty => {}
                    (false, Value::Array(items)) => {
                        for item in items.iter() {
                            views.push(item.clone());
                            let done = render(inside, views, lookup, out);
                            views.pop();
                            done?;
                        }
                    }
                    (false, Value::Bool(_)) => render(inside, views, lookup, out)?,
                    (false, view) => {
                        views.push(view.clone());
                        let done = render(inside, views, lookup, out);
                        views.pop();
                        done?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// A name in the innermost view that has its first part, else from the lookup.
fn find(name: &str, views: &[Value], lookup: &dyn Lookup) -> Result<Value, ExpressionError> {
    if name == "." {
        return Ok(views.last().cloned().unwrap_or_default());
    }
    for view in views.iter().rev() {
        let (mut at, mut has) = (view.clone(), false);
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                has = has_property(&at, part);
            }
            at = at.member(part);
            if at.is_nullish() && parts.peek().is_some() {
                break;
            }
        }
        if has {
            return Ok(if at.is_undefined() { lookup.find(name)? } else { lookup.found(at) });
        }
    }
    lookup.find(name)
}

fn has_property(at: &Value, key: &str) -> bool {
    match at {
        Value::Object(object) => object.contains_key(key),
        other => !other.member(key).is_undefined(),
    }
}

/// HTML escapes as mustache.js has them.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '/' => out.push_str("&#x2F;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    fn fill(template: &str, view: &str) -> String {
        Template::parse(template).unwrap().render(&parse_json(view.as_bytes()).unwrap(), &Plain).unwrap()
    }

    #[test]
    fn follows_the_specification() {
        let cases = [
            ("{{a}} {{{a}}} {{&a}}", r#"{"a":"<'/=`\">"}"#, "&lt;&#39;&#x2F;&#x3D;&#x60;&quot;&gt; <'/=`\"> <'/=`\">"),
            ("{{#l}}{{.}},{{/l}}", r#"{"l":[1,2]}"#, "1,2,"),
            ("{{#o}}{{b}}{{c}}{{/o}}", r#"{"o":{"b":1},"c":2}"#, "12"),
            ("{{^x}}none{{/x}}{{#x}}some{{/x}}", r#"{"x":[]}"#, "none"),
            ("a\n  {{#t}}\nb\n  {{/t}}\nc", r#"{"t":true}"#, "a\nb\nc"),
            ("{{! note }}{{=<% %>=}}<% a %>{{a}}", r#"{"a":1}"#, "1{{a}}"),
            ("{{a.b.0.c}}|{{a.x.y}}|{{n}}", r#"{"a":{"b":[{"c":5}]},"n":null}"#, "5||"),
            ("{{a.0}}{{a.2}}|{{b.1}}|{{b.01}}", r#"{"a":"xyz","b":[1,2]}"#, "xz|2|"),
            ("{{> other}}x", "{}", "x"),
            ("{{#s}}{{s}}{{/s}}", r#"{"s":"text"}"#, "text"),
        ];
        for (template, view, expected) in cases {
            assert_eq!(fill(template, view), expected, "{template}");
        }
    }

    #[test]
    fn names_what_is_not_closed() {
        for (template, message) in [
            ("a {{b", "Unclosed tag at 2"),
            ("{{#a}}x", "Unclosed section \"a\" at 7"),
            ("{{/a}}", "Unopened section \"a\" at 0"),
        ] {
            assert_eq!(Template::parse(template).unwrap_err().message, message);
        }
    }
}
