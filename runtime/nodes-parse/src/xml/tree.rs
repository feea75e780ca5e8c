//! Elements to objects, as xml2js builds them.

use flotilla_value::{Object, Str, Value};

use super::error::MAX_DEPTH;
use super::options::ReadOptions;

/// More namespaces than this in one element are refused.
const MAX_SPACES: usize = 256;

/// Builds the object of a document from its events.
pub(super) struct Tree<'a> {
    options: &'a ReadOptions,
    stack: Vec<Element>,
}

struct Element {
    name: Str,
    object: Object,
    cdata: bool,
    /// Namespaces declared here: prefix and URI.
    spaces: Vec<(String, String)>,
}

/// What `assignOrPush` of xml2js does: the first value alone or in an array, later ones appended.
fn assign_or_push(object: &mut Object, key: &str, value: Value, explicit_array: bool) {
    match object.get_mut(key) {
        None => {
            object.insert(key, if explicit_array { Value::array(vec![value]) } else { value });
        }
        Some(known) => match known.as_array_mut() {
            Some(items) => items.push(value),
            None => *known = Value::array(vec![std::mem::take(known), value]),
        },
    }
}

fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.trim().chars().peekable();
    while let Some(c) = chars.next() {
        // A run of two or more becomes one blank; a single one stays what it is.
        if c.is_whitespace() && chars.next_if(|next| next.is_whitespace()).is_some() {
            while chars.next_if(|next| next.is_whitespace()).is_some() {}
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    out
}

impl<'a> Tree<'a> {
    pub(super) fn new(options: &'a ReadOptions) -> Tree<'a> {
        Tree { options, stack: Vec::new() }
    }

    /// True before the root element.
    pub(super) fn is_outside(&self) -> bool {
        self.stack.is_empty()
    }

    fn case(&self, name: &str) -> String {
        if self.options.strict { name.to_owned() } else { name.to_uppercase() }
    }

    pub(super) fn open(&mut self, name: &str, attributes: Vec<(String, String)>) -> Result<(), String> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(format!("Elements are nested deeper than {MAX_DEPTH} levels"));
        }
        let options = self.options;
        let spaces = attributes.iter().filter_map(|(name, uri)| declared(name).map(|prefix| (prefix, uri.clone())));
        let spaces: Vec<_> = if options.xmlns { spaces.collect() } else { Vec::new() };
        // Each name of the element is looked up among them.
        if spaces.len() > MAX_SPACES {
            return Err(format!("An element declares more than {MAX_SPACES} namespaces"));
        }
        let name = self.case(name);
        let shown = if options.normalize_tags { name.to_lowercase() } else { name.clone() };
        self.stack.push(Element { name: Str::new(&shown), object: Object::new(), cdata: false, spaces });
        let mut object: Object = [(options.charkey.clone(), Value::from(""))].into_iter().collect();
        if !options.ignore_attrs {
            for (key, value) in attributes {
                let key = self.case(&key);
                let value = if options.xmlns { self.qualified(&key, &value) } else { Value::from(value) };
                if options.merge_attrs {
                    assign_or_push(&mut object, &key, value, options.explicit_array);
                } else {
                    if !object.contains_key(&options.attrkey) {
                        object.insert(options.attrkey.clone(), Value::object());
                    }
                    if let Some(all) = object.get_mut(&options.attrkey).and_then(Value::as_object_mut) {
                        all.insert(key, value);
                    }
                }
            }
        }
        object.insert("#name", Value::from(shown));
        if options.xmlns {
            let (prefix, local) = name.split_once(':').unwrap_or(("", &name));
            let space: Object =
                [("uri", Value::from(self.uri(prefix))), ("local", Value::from(local))].into_iter().collect();
            object.insert(format!("{}ns", options.attrkey), space);
        }
        if let Some(element) = self.stack.last_mut() {
            element.object = object;
        }
        Ok(())
    }

    fn uri(&self, prefix: &str) -> String {
        let known = self.stack.iter().rev().flat_map(|element| &element.spaces).find(|(name, _)| name == prefix);
        match (known, prefix) {
            (Some((_, uri)), _) => uri.clone(),
            (None, "xml") => "http://www.w3.org/XML/1998/namespace".to_owned(),
            (None, "xmlns") => "http://www.w3.org/2000/xmlns/".to_owned(),
            (None, _) => String::new(),
        }
    }

    /// An attribute with its namespace, as sax gives it with `xmlns`.
    fn qualified(&self, name: &str, value: &str) -> Value {
        let (prefix, local) = match name.split_once(':') {
            Some(parts) => parts,
            None if name == "xmlns" => ("xmlns", ""),
            None => ("", name),
        };
        let uri = if prefix.is_empty() { String::new() } else { self.uri(prefix) };
        let parts = [("name", name), ("value", value), ("prefix", prefix), ("local", local), ("uri", &uri)];
        Value::from(parts.into_iter().collect::<Object>())
    }

    pub(super) fn text(&mut self, text: &str) {
        let options = self.options;
        let Some(element) = self.stack.last_mut() else { return };
        if let Some(chars) = element.object.get_mut(&options.charkey) {
            *chars = Value::from(format!("{}{text}", chars.to_text()));
        }
        let ordered = options.explicit_children && options.preserve_children_order && options.chars_as_children;
        if ordered && (options.include_white_chars || !text.trim().is_empty()) {
            let shown = if options.normalize { squeeze(text) } else { text.to_owned() };
            let child: Object =
                [(Str::new_static("#name"), Value::from("__text__")), (options.charkey.clone(), Value::from(shown))]
                    .into_iter()
                    .collect();
            push_child(&mut element.object, &options.childkey, Value::from(child));
        }
    }

    pub(super) fn cdata(&mut self, text: &str) {
        self.text(text);
        if let Some(element) = self.stack.last_mut() {
            element.cdata = true;
        }
    }

    /// Closes the innermost element; gives the document when that was the root.
    pub(super) fn close(&mut self) -> Option<Value> {
        let options = self.options;
        let Element { name, mut object, cdata, .. } = self.stack.pop()?;
        let ordered = options.explicit_children && options.preserve_children_order;
        if !ordered {
            object.remove("#name");
        }
        let chars = object.get(&options.charkey).map(Value::to_text).unwrap_or_default();
        let mut value = if chars.trim().is_empty() && !cdata {
            object.remove(&options.charkey);
            if object.is_empty() {
                options.empty_tag.clone().unwrap_or(Value::String(chars))
            } else {
                Value::from(object)
            }
        } else {
            let chars = if options.trim { chars.trim() } else { chars.as_str() };
            let mut chars = chars.to_owned();
            if options.normalize {
                chars = squeeze(&chars);
            }
            object.insert(options.charkey.clone(), chars);
            self.alone(object)
        };
        if options.explicit_children && !options.merge_attrs && matches!(value, Value::Object(_)) {
            value = if ordered { self.ordered_child(value) } else { self.grouped(value) };
        }
        match self.stack.last_mut() {
            Some(parent) => {
                assign_or_push(&mut parent.object, &name, value, options.explicit_array);
                None
            }
            None if options.explicit_root => Some(Value::from([(name, value)].into_iter().collect::<Object>())),
            None => Some(value),
        }
    }

    /// Text without anything beside it is just that text.
    fn alone(&self, object: Object) -> Value {
        if object.len() == 1 && !self.options.explicit_charkey {
            object.get(&self.options.charkey).cloned().unwrap_or_else(|| Value::from(object))
        } else {
            Value::from(object)
        }
    }

    /// `explicitChildren`: attributes and text stay, child elements move under `childkey`.
    fn grouped(&self, value: Value) -> Value {
        let options = self.options;
        let Value::Object(object) = value else { return value };
        let (mut node, mut children) = (Object::new(), (*object).clone());
        if let Some(attributes) = children.remove(&options.attrkey) {
            node.insert(options.attrkey.clone(), attributes);
        }
        if !options.chars_as_children
            && let Some(chars) = children.remove(&options.charkey)
        {
            node.insert(options.charkey.clone(), chars);
        }
        if !children.is_empty() {
            node.insert(options.childkey.clone(), children);
        }
        Value::from(node)
    }

    /// `preserveChildrenOrder`: the parent also lists the element among its children, in order.
    fn ordered_child(&mut self, value: Value) -> Value {
        let options = self.options;
        let Some(parent) = self.stack.last_mut() else { return value };
        push_child(&mut parent.object, &options.childkey, value.clone());
        let Value::Object(object) = value else { return value };
        let mut object = (*object).clone();
        object.remove("#name");
        self.alone(object)
    }
}

fn declared(name: &str) -> Option<String> {
    if name == "xmlns" { Some(String::new()) } else { name.strip_prefix("xmlns:").map(str::to_owned) }
}

fn push_child(object: &mut Object, key: &str, child: Value) {
    if !object.contains_key(key) {
        object.insert(key, Value::array(Vec::new()));
    }
    if let Some(children) = object.get_mut(key).and_then(Value::as_array_mut) {
        children.push(child);
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::read;
    use super::*;
    use flotilla_value::{parse_json, stringify};

    fn json(xml: &str, options: &str) -> String {
        let options = parse_json(options.as_bytes()).unwrap();
        match read(xml, &ReadOptions::new(options.as_object().unwrap())) {
            Ok(value) => stringify(&value).unwrap().unwrap(),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn elements_attributes_and_text() {
        assert_eq!(
            json("<a><b x='1'>t</b><b/><c> </c></a>", "{}"),
            r#"{"a":{"b":[{"_":"t","$":{"x":"1"}},""],"c":[" "]}}"#
        );
        assert_eq!(
            json("<?xml version='1.0'?>\n<!-- c --><a>x &amp; &#65;&eacute;<![CDATA[<y>]]></a> junk", "{}"),
            r#"{"a":"x & Aé<y>"}"#
        );
        assert_eq!(json("<a k='&lt;'/>", "{}"), r#"{"a":{"$":{"k":"<"}}}"#);
        assert_eq!(json("  ", "{}"), "null");
    }

    #[test]
    fn options_are_those_of_xml2js() {
        assert_eq!(
            json("<a><b>1</b><b>2</b><c>3</c></a>", r#"{"explicitArray":false}"#),
            r#"{"a":{"b":["1","2"],"c":"3"}}"#
        );
        assert_eq!(json("<a k='v'>t</a>", r#"{"mergeAttrs":true,"explicitRoot":false}"#), r#"{"_":"t","k":["v"]}"#);
        assert_eq!(
            json("<A> x   y </A>", r#"{"normalize":true,"normalizeTags":true,"charkey":"c","explicitCharkey":true}"#),
            r#"{"a":{"c":"x y"}}"#
        );
        assert_eq!(json("<a><b/></a>", r#"{"emptyTag":null}"#), r#"{"a":{"b":[null]}}"#);
        assert_eq!(
            json("<a k='v'>t<b>1</b></a>", r#"{"explicitChildren":true}"#),
            r#"{"a":{"$":{"k":"v"},"_":"t","$$":{"b":["1"]}}}"#
        );
        assert_eq!(
            json(
                "<a>t<b>1</b></a>",
                r#"{"explicitChildren":true,"preserveChildrenOrder":true,"charsAsChildren":true,"explicitRoot":false}"#
            ),
            r##"{"_":"t","#name":"a","$$":[{"#name":"__text__","_":"t"},{"_":"1","#name":"b","$$":[{"#name":"__text__","_":"1"}]}],"b":[{"_":"1","$$":[{"#name":"__text__","_":"1"}]}]}"##
        );
        assert_eq!(
            json("<p:a xmlns:p='u' p:k='v'/>", r#"{"xmlns":true,"ignoreAttrs":true}"#),
            r#"{"p:a":{"$ns":{"uri":"u","local":"a"}}}"#
        );
    }

    #[test]
    fn damage_is_refused() {
        assert_eq!(json("<not valid>", "{}"), "Attribute without value");
        assert_eq!(json("<a></b>", "{}"), "Unexpected close tag");
        assert_eq!(json("<a>", "{}"), "Unclosed root tag");
        assert_eq!(json("x<a/>", "{}"), "Non-whitespace before first tag.");
        assert_eq!(json("<a>&nonsense;</a>", "{}"), "Invalid character entity");
        assert!(json(&"<a>".repeat(100_000), "{}").starts_with("Elements are nested deeper"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(xml in "(<[a-c/]{0,3}( [a-c]=?['\"]?[&;é#x0-9]{0,4}['\"]?)?[>/]{0,2}|[a-c&;é \\]\\[!-]{0,6}){0,8}", bits: u16) {
            let names = ["explicitCharkey", "trim", "normalize", "normalizeTags", "explicitRoot", "explicitArray", "ignoreAttrs", "mergeAttrs",
                "xmlns", "explicitChildren", "preserveChildrenOrder", "charsAsChildren", "includeWhiteChars", "strict"];
            let options: Object = names.iter().enumerate().map(|(at, name)| (*name, Value::Bool(bits >> at & 1 == 1))).collect();
            let _ = read(&xml, &ReadOptions::new(&options));
        }
    }
}
