//! `msg.options`: xml2js's options, by their names there.

use flotilla_value::{Object, Str, Value};

/// How text becomes objects.
#[derive(Clone, Debug)]
pub(super) struct ReadOptions {
    pub(super) attrkey: Str,
    pub(super) charkey: Str,
    pub(super) childkey: Str,
    pub(super) explicit_charkey: bool,
    pub(super) trim: bool,
    pub(super) normalize: bool,
    pub(super) normalize_tags: bool,
    pub(super) explicit_root: bool,
    pub(super) empty_tag: Option<Value>,
    pub(super) explicit_array: bool,
    pub(super) ignore_attrs: bool,
    pub(super) merge_attrs: bool,
    pub(super) xmlns: bool,
    pub(super) explicit_children: bool,
    pub(super) preserve_children_order: bool,
    pub(super) chars_as_children: bool,
    pub(super) include_white_chars: bool,
    /// False: names become upper case, as sax has it.
    pub(super) strict: bool,
}

/// How objects become text.
#[derive(Clone, Debug)]
pub(super) struct BuildOptions {
    pub(super) attrkey: Str,
    pub(super) charkey: Str,
    pub(super) root_name: Str,
    pub(super) version: Str,
    pub(super) encoding: Option<Str>,
    pub(super) standalone: Option<bool>,
    pub(super) headless: bool,
    pub(super) cdata: bool,
    /// `doctype.pubID` and `doctype.sysID`
    pub(super) doctype: Option<(Option<Str>, Option<Str>)>,
    pub(super) pretty: bool,
    pub(super) indent: Str,
    pub(super) newline: Str,
    pub(super) allow_empty: bool,
}

fn flag(options: &Object, name: &str, default: bool) -> bool {
    options.get(name).map_or(default, Value::truthy)
}

fn text(options: &Object, name: &str, default: &'static str) -> Str {
    options.get(name).filter(|value| !value.is_nullish()).map_or(Str::new_static(default), Value::to_text)
}

impl ReadOptions {
    /// From `msg.options`; what it does not set has xml2js's default.
    pub(super) fn new(options: &Object) -> ReadOptions {
        ReadOptions {
            attrkey: text(options, "attrkey", "$"),
            charkey: text(options, "charkey", "_"),
            childkey: text(options, "childkey", "$$"),
            explicit_charkey: flag(options, "explicitCharkey", false),
            trim: flag(options, "trim", false),
            normalize: flag(options, "normalize", false),
            normalize_tags: flag(options, "normalizeTags", false),
            explicit_root: flag(options, "explicitRoot", true),
            empty_tag: options.get("emptyTag").filter(|tag| tag.as_str() != Some("")).cloned(),
            explicit_array: flag(options, "explicitArray", true),
            ignore_attrs: flag(options, "ignoreAttrs", false),
            merge_attrs: flag(options, "mergeAttrs", false),
            xmlns: flag(options, "xmlns", false),
            explicit_children: flag(options, "explicitChildren", false),
            preserve_children_order: flag(options, "preserveChildrenOrder", false),
            chars_as_children: flag(options, "charsAsChildren", false),
            include_white_chars: flag(options, "includeWhiteChars", false),
            strict: flag(options, "strict", true),
        }
    }
}

impl BuildOptions {
    /// From `msg.options`; without any, Node-RED writes on one line.
    pub(super) fn new(options: Option<&Object>) -> BuildOptions {
        let empty = Object::new();
        let given = options.unwrap_or(&empty);
        let part = |name: &str| given.get(name).and_then(Value::as_object).cloned();
        let render = part("renderOpts");
        let pretty = options.is_some() && render.as_ref().is_none_or(|render| flag(render, "pretty", false));
        let render = render.unwrap_or_default();
        let declaration = part("xmldec");
        let plain = declaration.is_none();
        let declaration = declaration.unwrap_or_default();
        let doctype = part("doctype").map(|doctype| {
            let id = |name: &str| doctype.get(name).filter(|id| id.truthy()).map(Value::to_text);
            (id("pubID"), id("sysID"))
        });
        let encoding = declaration.get("encoding").filter(|value| !value.is_nullish()).map(Value::to_text);
        let standalone = declaration.get("standalone").filter(|value| !value.is_nullish()).map(Value::truthy);
        BuildOptions {
            attrkey: text(given, "attrkey", "$"),
            charkey: text(given, "charkey", "_"),
            root_name: text(given, "rootName", "root"),
            version: text(&declaration, "version", "1.0"),
            encoding: encoding.or(plain.then_some(Str::new_static("UTF-8"))),
            standalone: standalone.or(plain.then_some(true)),
            headless: flag(given, "headless", false),
            cdata: flag(given, "cdata", false),
            doctype,
            pretty,
            indent: text(&render, "indent", "  "),
            newline: text(&render, "newline", "\n"),
            allow_empty: flag(&render, "allowEmpty", false),
        }
    }
}
