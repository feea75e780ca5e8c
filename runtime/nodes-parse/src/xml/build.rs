//! Objects to XML text, as xml2js and xmlbuilder write it.

use std::fmt::Write as _;

use flotilla_value::{Object, Str, Value};

use super::error::{BuildError, MAX_DEPTH};
use super::options::BuildOptions;

/// Writes a value as a document. An object with one property is that element; anything else is put into `rootName`.
pub(super) fn build(value: &Value, options: &BuildOptions) -> Result<String, BuildError> {
    if value.is_nullish() {
        return Err(BuildError::Nothing);
    }
    let only = match value {
        Value::Object(object) if object.len() == 1 && options.root_name == "root" => object.iter().next(),
        _ => None,
    };
    let (name, value) = only.map_or((&options.root_name, value), |(name, value)| (name, value));
    let mut root = Element::new(name)?;
    root.render(value, options, 1)?;
    let mut writer = Writer { out: String::new(), options };
    writer.head(&root)?;
    writer.element(&root, 0);
    Ok(writer.out.trim_end_matches(options.newline.as_str()).to_owned())
}

struct Element {
    name: Str,
    attributes: Vec<(Str, String)>,
    children: Vec<Node>,
}

enum Node {
    Element(Element),
    Text(String),
}

/// XML 1.0 section 2.2
fn legal(text: &str) -> Result<(), BuildError> {
    let illegal =
        |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(illegal) { Err(BuildError::Character(text.to_owned())) } else { Ok(()) }
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c.is_alphabetic() || matches!(c, ':' | '_') || (c as u32) >= 0x2070;
    let mut chars = name.chars();
    chars.next().is_some_and(start)
        && chars.all(|c| start(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}'))
}

fn escape_text(text: &str) -> Result<String, BuildError> {
    legal(text)?;
    Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;"))
}

fn escape_attribute(text: &str) -> Result<String, BuildError> {
    legal(text)?;
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    Ok(text.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;"))
}

impl Element {
    fn new(name: &str) -> Result<Element, BuildError> {
        if !is_name(name) {
            return Err(BuildError::Name);
        }
        Ok(Element { name: Str::new(name), attributes: Vec::new(), children: Vec::new() })
    }

    fn text(&mut self, value: &Value, options: &BuildOptions) -> Result<(), BuildError> {
        if value.is_nullish() {
            return Err(BuildError::Text(self.name.to_string()));
        }
        let text = value.to_text();
        self.children.push(Node::Text(match value {
            Value::String(text) if options.cdata && text.contains(['&', '<', '>']) => {
                format!("<![CDATA[{}]]>", text.replacen("]]>", "]]]]><![CDATA[>", 1))
            }
            _ => escape_text(&text)?,
        }));
        Ok(())
    }

    fn child(&mut self, name: &str, value: &Value, options: &BuildOptions, depth: usize) -> Result<(), BuildError> {
        let mut child = Element::new(name)?;
        child.render(value, options, depth + 1)?;
        self.children.push(Node::Element(child));
        Ok(())
    }

    fn render(&mut self, value: &Value, options: &BuildOptions, depth: usize) -> Result<(), BuildError> {
        if depth > MAX_DEPTH {
            return Err(BuildError::TooDeep);
        }
        match value {
            Value::Array(items) => {
                for item in items.iter() {
                    for (key, entry) in entries(item) {
                        self.child(&key, &entry, options, depth)?;
                    }
                }
                Ok(())
            }
            value if value.type_of() != "object" => self.text(value, options),
            value => {
                for (key, entry) in entries(value) {
                    self.property(&key, &entry, options, depth)?;
                }
                Ok(())
            }
        }
    }

    fn property(&mut self, key: &str, value: &Value, options: &BuildOptions, depth: usize) -> Result<(), BuildError> {
        if key == options.attrkey {
            for (name, value) in entries(value) {
                if !is_name(&name) {
                    return Err(BuildError::Name);
                }
                if !value.is_nullish() {
                    self.attributes.push((name, escape_attribute(&value.to_text())?));
                }
            }
            return Ok(());
        }
        if key == options.charkey {
            return self.text(value, options);
        }
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.child(key, item, options, depth)),
            Value::Undefined | Value::Null => self.child(key, &Value::from(""), options, depth),
            value => self.child(key, value, options, depth),
        }
    }
}

/// Own enumerable properties of what is an object to JavaScript.
fn entries(value: &Value) -> Vec<(Str, Value)> {
    let of = |object: &Object| object.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    match value {
        Value::Object(object) => of(object),
        Value::Error(error) => of(&error.props),
        // The first index is enough: it is no name of an element.
        Value::Buffer(bytes) => {
            bytes.first().map(|byte| (Str::new_static("0"), f64::from(*byte).into())).into_iter().collect()
        }
        Value::Host(host) => host.keys().into_iter().map(|key| (key.clone(), host.get(&key))).collect(),
        _ => Vec::new(),
    }
}

struct Writer<'a> {
    out: String,
    options: &'a BuildOptions,
}

impl Writer<'_> {
    fn head(&mut self, root: &Element) -> Result<(), BuildError> {
        let options = self.options;
        if !options.headless {
            if !options.version.starts_with("1.") {
                return Err(BuildError::Declaration(options.version.to_string()));
            }
            let _ = write!(self.out, "<?xml version=\"{}\"", options.version);
            if let Some(encoding) = &options.encoding {
                if !encoding.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
                    return Err(BuildError::Declaration(encoding.to_string()));
                }
                let _ = write!(self.out, " encoding=\"{encoding}\"");
            }
            if let Some(standalone) = options.standalone {
                self.out.push_str(if standalone { " standalone=\"yes\"" } else { " standalone=\"no\"" });
            }
            self.out.push_str("?>");
            self.line_end();
        }
        if let Some((public, system)) = &options.doctype {
            let _ = write!(self.out, "<!DOCTYPE {}", root.name);
            match (public, system) {
                (Some(public), Some(system)) => {
                    let _ = write!(self.out, " PUBLIC \"{public}\" \"{system}\"");
                }
                (None, Some(system)) => {
                    let _ = write!(self.out, " SYSTEM \"{system}\"");
                }
                _ => {}
            }
            self.out.push('>');
            self.line_end();
        }
        Ok(())
    }

    fn line_end(&mut self) {
        if self.options.pretty {
            self.out.push_str(&self.options.newline);
        }
    }

    fn line_start(&mut self, level: usize) {
        if self.options.pretty {
            self.out.push_str(&self.options.indent.repeat(level));
        }
    }

    fn element(&mut self, element: &Element, level: usize) {
        self.line_start(level);
        let _ = write!(self.out, "<{}", element.name);
        for (name, value) in &element.attributes {
            let _ = write!(self.out, " {name}=\"{value}\"");
        }
        if element.children.iter().all(|child| matches!(child, Node::Text(text) if text.is_empty())) {
            if self.options.allow_empty {
                let _ = write!(self.out, "></{}>", element.name);
            } else {
                self.out.push_str("/>");
            }
        } else if let [Node::Text(text)] = element.children.as_slice() {
            let _ = write!(self.out, ">{text}</{}>", element.name);
        } else {
            self.out.push('>');
            self.line_end();
            for child in &element.children {
                match child {
                    Node::Element(child) => self.element(child, level + 1),
                    Node::Text(text) => {
                        self.line_start(level + 1);
                        self.out.push_str(text);
                        self.line_end();
                    }
                }
            }
            self.line_start(level);
            let _ = write!(self.out, "</{}>", element.name);
        }
        self.line_end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    fn xml(json: &str, options: Option<&str>) -> Result<String, BuildError> {
        let options = options.map(|text| parse_json(text.as_bytes()).unwrap());
        let value = parse_json(json.as_bytes()).unwrap();
        build(&value, &BuildOptions::new(options.as_ref().and_then(Value::as_object)))
    }

    const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;

    #[test]
    fn one_property_is_the_root() {
        let written = xml(r#"{"a":{"$":{"k":"<\"\n"},"b":["1",2,{"c":null}],"_":"x & y"}}"#, None).unwrap();
        assert_eq!(written, format!("{HEAD}<a k=\"&lt;&quot;&#xA;\"><b>1</b><b>2</b><b><c/></b>x &amp; y</a>"));
        assert_eq!(xml(r#"{"a":1,"b":true}"#, None).unwrap(), format!("{HEAD}<root><a>1</a><b>true</b></root>"));
    }

    #[test]
    fn options_are_those_of_xml2js() {
        assert_eq!(xml(r#"{"a":{"b":1}}"#, Some("{}")).unwrap(), format!("{HEAD}\n<a>\n  <b>1</b>\n</a>"));
        let options = r#"{"headless":true,"rootName":"r","cdata":true,"renderOpts":{"pretty":false}}"#;
        assert_eq!(xml(r#"{"a":"<x>"}"#, Some(options)).unwrap(), "<r><a><![CDATA[<x>]]></a></r>");
        let options = r#"{"xmldec":{"version":"1.1"},"doctype":{"sysID":"s.dtd"},"renderOpts":{}}"#;
        assert_eq!(
            xml(r#"{"a":""}"#, Some(options)).unwrap(),
            "<?xml version=\"1.1\"?><!DOCTYPE a SYSTEM \"s.dtd\"><a/>"
        );
    }

    #[test]
    fn what_xml_cannot_say_is_refused() {
        assert_eq!(xml(r#"{"a b":1}"#, None), Err(BuildError::Name));
        assert!(matches!(xml(r#"{"a":"\u0001"}"#, None), Err(BuildError::Character(_))));
        let mut deep = Value::from("x");
        for _ in 0..=MAX_DEPTH {
            deep = Value::from([("a", deep)].into_iter().collect::<Object>());
        }
        assert_eq!(build(&deep, &BuildOptions::new(None)), Err(BuildError::TooDeep));
    }
}
