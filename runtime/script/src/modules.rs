//! `require`: npm modules from the directory that the operator named, and the few built-in ones that exist here.
//!
//! CommonJS only. A module that asks for a part of Node.js that does not exist here is refused by name.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rquickjs::{Ctx, Exception, Function, Object as JsObject, Result, Value as JsValue};

use super::engine::Script;
use super::function::FunctionScript;

/// Source files larger than this are refused.
const MAX_SOURCE: u64 = 8 << 20;

/// Adds what `prelude/modules.js` needs: finding and compiling files.
pub(super) fn add_natives<'js>(_script: &Rc<Script>, natives: &JsObject<'js>) -> Result<()> {
    let ctx = natives.ctx().clone();
    natives.set("resolveModule", Function::new(ctx.clone(), resolve)?)?;
    natives.set(
        "compileModule",
        Function::new(ctx, |ctx: Ctx<'js>, file: String| -> Result<JsValue<'js>> {
            let source = read(&ctx, &file)?;
            if Path::new(&file).extension().is_some_and(|extension| extension == "json") {
                return ctx.json_parse(source);
            }
            let source = source.strip_prefix('\u{feff}').unwrap_or(&source);
            // The first line may be `#!`; the wrapper stays on it so that line numbers hold.
            let body = if source.starts_with("#!") { format!("//{source}") } else { source.to_owned() };
            super::realm::eval(
                &ctx,
                &file,
                &format!("(function (exports, require, module, __filename, __dirname) {{{body}\n}})"),
                false,
            )
        })?,
    )
}

fn read(ctx: &Ctx<'_>, file: &str) -> Result<String> {
    let too_large = std::fs::metadata(file).is_ok_and(|meta| meta.len() > MAX_SOURCE);
    if too_large {
        return Err(Exception::throw_message(ctx, &format!("{file} is larger than 8 MB")));
    }
    std::fs::read_to_string(file)
        .map_err(|error| Exception::throw_message(ctx, &format!("Cannot read {file}: {error}")))
}

/// The file of a module: `name` as written, asked for from `directory` within `root`. Nothing outside `root` is read.
fn resolve(name: String, directory: String, root: String) -> Option<String> {
    let root = Path::new(&root).canonicalize().ok()?;
    let found = if name.starts_with("./") || name.starts_with("../") || name == "." || name == ".." {
        file_or_directory(&Path::new(&directory).join(&name))
    } else {
        let mut at = Some(Path::new(&directory).to_path_buf());
        let mut found = None;
        while let (None, Some(directory)) = (&found, &at) {
            found = file_or_directory(&directory.join("node_modules").join(&name));
            at = directory.parent().filter(|parent| parent.starts_with(&root)).map(Path::to_path_buf);
        }
        found.or_else(|| file_or_directory(&root.join(&name)))
    };
    let found = found?.canonicalize().ok()?;
    found.starts_with(&root).then(|| found.to_string_lossy().into_owned())
}

fn file_or_directory(path: &Path) -> Option<PathBuf> {
    as_file(path).or_else(|| {
        let manifest = std::fs::read(path.join("package.json")).ok();
        let manifest: Option<serde_json::Value> = manifest.and_then(|text| serde_json::from_slice(&text).ok());
        let main = manifest.as_ref().and_then(|manifest| {
            let exported = manifest.get("exports").and_then(common_js);
            exported.or_else(|| manifest.get("main").and_then(serde_json::Value::as_str))
        });
        main.and_then(|main| as_file(&path.join(main)).or_else(|| as_file(&path.join(main).join("index"))))
            .or_else(|| as_file(&path.join("index")))
    })
}

/// The CommonJS entry of an `exports` field.
fn common_js(exports: &serde_json::Value) -> Option<&str> {
    match exports {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Object(map) => {
            [".", "require", "node", "default"].iter().find_map(|key| map.get(*key).and_then(common_js))
        }
        serde_json::Value::Array(list) => list.iter().find_map(common_js),
        _ => None,
    }
}

fn as_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_path_buf());
    }
    ["js", "cjs", "json"].iter().find_map(|extension| {
        let with = PathBuf::from(format!("{}.{extension}", path.display()));
        with.is_file().then_some(with)
    })
}

/// Adds `require` to a node's natives.
pub(super) fn add_require<'js>(script: &Rc<Script>, n: &JsObject<'js>, node: &Rc<FunctionScript>) -> Result<()> {
    let (own, engine) = (node.clone(), script.clone());
    n.set(
        "require",
        Function::new(n.ctx().clone(), move |ctx: Ctx<'js>, name: String| load(&engine, &ctx, &own, &name))?,
    )
}

/// A module's name, and the version that is asked for after an `@`.
fn name_and_version(name: &str) -> (&str, Option<&str>) {
    match name.rfind('@') {
        Some(at) if at > 0 => (&name[..at], Some(&name[at + 1..])),
        _ => (name, None),
    }
}

impl Script {
    /// Loads a module as a function node would, from below `root`.
    ///
    /// # Errors
    /// Why it does not run here: a part of Node.js that it needs, what it throws, that it is not there.
    pub fn try_module(self: &Rc<Self>, name: &str, root: &Path) -> std::result::Result<(), String> {
        const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);
        let root = root.to_string_lossy().into_owned();
        let script = self.realm_of_modules().map_err(|error| error.to_string())?;
        script.enter(Some(LIMIT), |ctx| {
            let loaded =
                script.tool(ctx, "loadModule").and_then(|load: Function<'_>| load.call::<_, JsValue<'_>>((name, root)));
            loaded.map(|_| ()).map_err(|error| {
                super::failure::caught(&script, ctx, &error, Some(LIMIT), None).value.to_text().to_string()
            })
        })
    }
}

/// Loads a module for a node. `name` may end in `@version`, which is not checked.
pub(super) fn load<'js>(
    script: &Rc<Script>,
    ctx: &Ctx<'js>,
    node: &Rc<FunctionScript>,
    name: &str,
) -> Result<JsValue<'js>> {
    let (name, version) = name_and_version(name);
    let root = node.host.node_modules().map(|root| root.to_string_lossy().into_owned());
    script.tool(ctx, "loadModule")?.call((name, root, version))
}
