//! Node-RED's `settings.js`, run in a realm of the sandbox: what it exports, as data.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rquickjs::{CatchResultExt, Ctx, Exception, Function, Result as JsResult};
use serde_json::{Map, Value};

use super::engine::Script;
use super::realm;

/// Such a file has nothing to wait for.
const LIMIT: Duration = Duration::from_secs(5);
/// Files that it reads (certificates, keys) are refused when they are larger.
const MAX_FILE: u64 = 1 << 20;

/// What a `settings.js` exports.
#[derive(Debug, Default, PartialEq)]
pub struct SettingsFile {
    /// Values that are data. A file that was read without an encoding is `{"$file": PATH}`.
    pub exported: Map<String, Value>,
    /// What is no data: its path in the exports (`functionGlobalContext.os`), and what it is (`the module os`).
    pub left_out: Vec<(String, String)>,
}

/// Why a `settings.js` has no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFileError {
    /// It cannot be read.
    #[error("cannot read {file}: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// It does not compile, throws, exports no object, or took more than 5 s.
    #[error("{file} cannot be evaluated: {why}")]
    Failed {
        /// The file.
        file: String,
        /// The error's text with its place.
        why: String,
    },
}

impl SettingsFile {
    /// Evaluates the file on this thread. It sees `process.env` with these variables, `require` of path, os, url, util and
    /// crypto, files and modules beside it, and of fs `readFileSync` and `existsSync`. Any other module is a stand-in: what
    /// is made with it is [`SettingsFile::left_out`].
    ///
    /// # Errors
    /// See [`SettingsFileError`].
    pub fn evaluate(file: &Path, env: &BTreeMap<String, String>) -> Result<SettingsFile, SettingsFileError> {
        let shown = file.display().to_string();
        let source = std::fs::read_to_string(file)
            .map_err(|error| SettingsFileError::Unreadable { file: shown.clone(), error })?;
        let failed = |why: String| SettingsFileError::Failed { file: shown.clone(), why };
        let script = Script::current().map_err(|error| failed(error.to_string()))?;
        let text = script.enter(Some(LIMIT), |ctx| {
            let run = || run(script, ctx, file, &source, env);
            run().catch(ctx).map_err(|error| error.to_string())
        });
        let text = match text {
            Err(_) if script.is_expired() => return Err(failed(format!("it ran for more than {LIMIT:?}"))),
            other => other.map_err(|why| failed(why.trim().to_owned()))?,
        };
        let (exported, left_out) = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        Ok(SettingsFile { exported, left_out })
    }
}

fn run(
    script: &Rc<Script>,
    ctx: &Ctx<'_>,
    file: &Path,
    source: &str,
    env: &BTreeMap<String, String>,
) -> JsResult<String> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let compiled: Function<'_> = realm::eval(
        ctx,
        &name,
        &format!("(function (exports, require, module, __filename, __dirname, process) {{{source}\n}})"),
        false,
    )?;
    let evaluate = realm::prelude(ctx, "prelude/settings_file.js")?;
    let about = serde_json::json!({
        "env": env,
        "cwd": std::env::current_dir().unwrap_or_default(),
        "file": file,
        "directory": directory,
    });
    let about = ctx.json_parse(about.to_string())?;
    let (read, exists) = (Function::new(ctx.clone(), read)?, Function::new(ctx.clone(), exists)?);
    evaluate.call((compiled, script.tool(ctx, "loadModule")?, read, exists, about))
}

fn read(ctx: Ctx<'_>, path: String) -> JsResult<String> {
    let fail = |why: String| Exception::throw_message(&ctx, &format!("cannot read {path}: {why}"));
    let size = std::fs::metadata(&path).map_err(|error| fail(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(fail("it is larger than 1 MB".to_owned()));
    }
    let bytes = std::fs::read(&path).map_err(|error| fail(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn exists(path: String) -> bool {
    Path::new(&path).exists()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(source: &str) -> Result<SettingsFile, SettingsFileError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("local.js"), "module.exports = {rate: 5};").unwrap();
        std::fs::write(folder.path().join("key.pem"), "KEY").unwrap();
        let file = folder.path().join("settings.js");
        std::fs::write(&file, source).unwrap();
        let env = BTreeMap::from([("PORT".to_owned(), "1890".to_owned())]);
        SettingsFile::evaluate(&file, &env)
    }

    #[test]
    fn what_is_data_is_read_and_the_rest_is_named() {
        let found = evaluate(
            "const path = require('path'), os = require('node:os'), express = require('express');\n\
             const fs = require('fs');\n\
             module.exports = {\n\
               uiPort: process.env.PORT || 1880, httpStatic: path.join('/srv', 'files'),\n\
               https: {key: fs.readFileSync(__dirname + '/key.pem'), ca: fs.readFileSync(__dirname + '/key.pem', 'utf8')},\n\
               functionGlobalContext: {os, rate: require('./local').rate, home: os.homedir().length > 0},\n\
               httpNodeMiddleware: function (req, res, next) { next(); },\n\
               adminAuth: express.auth({}), missing: undefined, far: Infinity,\n\
             };",
        )
        .unwrap();
        let get = |name: &str| found.exported.get(name).cloned();
        assert_eq!(get("uiPort"), Some(json!("1890")));
        assert_eq!(get("httpStatic"), Some(json!("/srv/files")));
        assert_eq!(get("functionGlobalContext"), Some(json!({"rate": 5, "home": true})));
        let https = get("https").unwrap();
        assert!(https["key"]["$file"].as_str().unwrap().ends_with("/key.pem") && https["ca"] == "KEY", "{https}");
        let left: Vec<String> = found.left_out.iter().map(|(at, what)| format!("{at}: {what}")).collect();
        assert_eq!(
            left,
            [
                "functionGlobalContext.os: the module os",
                "httpNodeMiddleware: a function",
                "adminAuth: made with the module express",
                "far: Infinity"
            ]
        );
        assert!(!found.exported.contains_key("missing"));
    }

    #[test]
    fn what_cannot_be_evaluated_says_why_and_where() {
        let why = |source: &str| evaluate(source).unwrap_err().to_string();
        assert!(why("module.exports = {").contains("settings.js"), "{}", why("module.exports = {"));
        assert!(why("module.exports = nothing.here;").contains("nothing is not defined"));
        assert!(why("module.exports = () => 1;").contains("must be an object of settings"));
        assert!(why("require('./absent');").contains("./absent"));
        assert!(why("for (;;) {}").contains("more than 5s"));
        let loops = evaluate("const a = {b: 1}; a.a = a; module.exports = {a};").unwrap();
        assert_eq!(loops.left_out[0].0, "a.a");
    }
}
