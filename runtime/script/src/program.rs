//! A function node's code as one compiled unit: its variables, its body, On Start and On Stop.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Array, Ctx, Exception, Function, Object as JsObject, Persistent, Result, Value as JsValue};

use super::engine::Script;
use super::failure::{self, Part};
use super::function::FunctionScript;
use super::globals::Assigned;
use super::reflection::reflects;
use super::sources::Known;
use super::{globals, realm, sandbox};

/// A function node's code as the flow document has it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    body: String,
    setup: String,
    cleanup: String,
    libs: Vec<Lib>,
    pub(super) uses_node: bool,
    pub(super) calls_done: bool,
    pub(super) modules_allowed: bool,
}

/// A module that the node wants under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lib {
    /// The variable.
    pub var: String,
    /// The module, with a version after `@` perhaps.
    pub module: String,
}

/// Where each part stands in the compiled text: its first line there, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    pub(super) body: usize,
    pub(super) setup: usize,
    pub(super) cleanup: usize,
}

impl Lines {
    /// The part that a line of the compiled text belongs to, in the words of Node-RED's stacks, and its line there from 1.
    pub(super) fn part(&self, line: usize) -> Option<(&'static str, usize)> {
        let (part, first) = if line >= self.cleanup {
            ("Function cleanup", self.cleanup)
        } else if line >= self.setup {
            ("Function setup", self.setup)
        } else {
            ("Function node", self.body)
        };
        Some((part, line.checked_sub(first)? + 1))
    }
}

/// The property with code that does not compile, line and column in it, and why.
type BadSource = (&'static str, Option<(usize, usize)>, String);

/// Code that compiles. It becomes a [`Program`] when it first runs: to make what it sees by name takes longer than to compile it,
/// and most functions of a large flow wait for their first message.
pub(super) struct Compiled {
    /// Keeps the source for the texts of errors.
    _known: Known,
    /// The code may look at objects as a whole.
    pub(super) reflects: bool,
    /// Gives the parts, called with what the sandbox has under each of [`SANDBOX`] and with the modules of `libs`; none once
    /// the program is made.
    factory: RefCell<Option<Persistent<Function<'static>>>>,
}

/// Compiled code with its sandbox.
pub(super) struct Program {
    pub(super) run: Persistent<Function<'static>>,
    pub(super) setup: Option<Persistent<Function<'static>>>,
    pub(super) cleanup: Option<Persistent<Function<'static>>>,
    pub(super) scope: Persistent<JsObject<'static>>,
    pub(super) node: Persistent<JsObject<'static>>,
    pub(super) setup_node: Persistent<JsObject<'static>>,
    pub(super) cleanup_node: Persistent<JsObject<'static>>,
}

/// Names of the sandbox, which a lib may not take.
pub const SANDBOX: &[&str] = &[
    "globalThis",
    "context",
    "flow",
    "global",
    "env",
    "RED",
    "require",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
];

/// Names that Node-RED's sandbox has besides, for the same check.
pub const BUILT_IN: &[&str] = &["console", "util", "Buffer", "URL", "URLSearchParams", "Date", "node", "msg"];

impl Source {
    /// The code of a function node.
    pub fn new(body: &str, setup: &str, cleanup: &str, libs: Vec<Lib>, modules_allowed: bool) -> Source {
        Source {
            uses_node: globals::mentions(body, "node"),
            calls_done: globals::calls_done(body),
            body: body.to_owned(),
            setup: setup.trim().to_owned(),
            cleanup: cleanup.trim().to_owned(),
            libs,
            modules_allowed,
        }
    }

    /// Compiles the code and runs nothing of it.
    ///
    /// # Errors
    /// The property of the function node that does not compile, line and column in it (from 1), and why.
    pub fn check(&self) -> std::result::Result<(), BadSource> {
        let whole = |message: String| ("func", None, message);
        let script = Script::current().map_err(|error| whole(error.to_string()))?;
        let (text, lines) = (self.text(&[], &[]), self.lines());
        script.enter(None, |ctx| {
            let known = Known::new(script, &text, lines, String::new());
            let compiled = realm::eval::<JsValue<'_>>(ctx, known.file(), &text, false);
            let Err(error) = compiled else { return Ok(()) };
            let thrown = failure::caught(script, ctx, &error, None, Some(&lines)).value;
            let place = failure::innermost(&thrown.get("stack").to_text(), &lines);
            let part = match place {
                Some(("Function setup", ..)) => "initialize",
                Some(("Function cleanup", ..)) => "finalize",
                _ => "func",
            };
            Err((part, place.map(|(_, line, column)| (line, column)), thrown.to_text().to_string()))
        })
    }

    /// The code of its parts.
    pub(super) fn parts(&self) -> [&str; 3] {
        [&self.body, &self.setup, &self.cleanup]
    }

    /// True when it has something to do in this part.
    pub(super) fn has(&self, part: Part) -> bool {
        let [_, setup, cleanup] = self.parts();
        match part {
            Part::Body => true,
            Part::Setup => !setup.is_empty(),
            Part::Cleanup => !cleanup.is_empty(),
        }
    }

    /// True when it loads npm modules.
    pub(super) fn uses_modules(&self) -> bool {
        !self.libs.is_empty()
            || (self.modules_allowed && self.parts().iter().any(|part| globals::mentions(part, "require")))
    }

    /// Where the parts begin in [`Source::text`].
    pub(super) fn lines(&self) -> Lines {
        let count = |text: &str| text.matches('\n').count() + 1;
        let body = 3;
        let setup = body + count(&self.body) + 1;
        Lines { body, setup, cleanup: setup + count(&self.setup) + 1 }
    }

    fn text(&self, variables: &[String], known: &[String]) -> String {
        // A body without `await` runs as a plain function: no promise per message.
        let kind = if globals::mentions(&self.body, "await") { "async " } else { "" };
        let libs: String = self.libs.iter().map(|lib| format!(", {}", lib.var)).collect();
        let mut declared = String::new();
        for name in variables {
            // An assignment to a built-in changes the node's own view of it.
            let initial = if known.contains(name) { format!(" = globalThis.{name}") } else { String::new() };
            declared.extend(["var ", name, &initial, ";"]);
        }
        format!(
            "(function ({}{libs}) {{{declared}\nreturn [{kind}function (msg, node) {{;\n{}\n}}, async function (msg, node) {{;\n{}\n}}, function (msg, node) {{;\n{}\n}}];}})",
            SANDBOX.join(", "),
            self.body,
            self.setup,
            self.cleanup,
        )
    }
}

impl Compiled {
    pub(super) fn new<'js>(
        script: &Rc<Script>,
        ctx: &Ctx<'js>,
        node: &FunctionScript,
        source: &Source,
    ) -> Result<Compiled> {
        let globals = ctx.globals();
        let taken = |name: &String| SANDBOX.contains(&name.as_str()) || source.libs.iter().any(|lib| lib.var == *name);
        let (mut variables, mut known) = (Vec::new(), Vec::new());
        for (name, how) in globals::assigned(&source.parts()) {
            if taken(&name) || name == "msg" || name == "node" {
                continue;
            }
            let is_built_in = globals.contains_key(name.as_str())?;
            if is_built_in {
                known.push(name.clone());
            }
            // What is only changed and is no built-in throws a ReferenceError, as it is nowhere.
            if is_built_in || how == Assigned::Made {
                variables.push(name);
            }
        }
        let text = source.text(&variables, &known);
        let (id, name) = (node.host.id(), node.host.name());
        let about = if name.is_empty() { id.to_string() } else { format!("{id} [{name}]") };
        let known_source = Known::new(script, &text, source.lines(), about);
        let factory: Function<'js> = realm::eval(ctx, known_source.file(), &text, false)?;
        let is_global = |name: &str| globals.contains_key(name).unwrap_or(true);
        let reflects = !source.libs.is_empty() || reflects(&[&source.body, &source.setup, &source.cleanup], is_global);
        let factory = RefCell::new(Some(Persistent::save(ctx, factory)));
        Ok(Compiled { _known: known_source, reflects, factory })
    }

    /// Makes what the code sees by name, and its parts. Nothing of the code runs.
    pub(super) fn program<'js>(
        &self,
        script: &Rc<Script>,
        ctx: &Ctx<'js>,
        node: &Rc<FunctionScript>,
        source: &Source,
    ) -> Result<Program> {
        let factory = self.factory.borrow().clone();
        let factory = factory.ok_or_else(|| Exception::throw_internal(ctx, "the program was made before"))?;
        let factory: Function<'js> = factory.restore(ctx)?;
        let natives = sandbox::natives(script, ctx, node)?;
        let about = script.import(ctx, &sandbox::about(node))?;
        let sandbox: JsObject<'js> = script.tool(ctx, "sandbox")?.call((natives, about))?;
        let names: JsObject<'js> = sandbox.get("names")?;
        let mut args = rquickjs::function::Args::new(ctx.clone(), SANDBOX.len() + source.libs.len());
        for name in SANDBOX {
            args.push_arg(names.get::<_, JsValue<'js>>(*name)?)?;
        }
        for lib in &source.libs {
            args.push_arg(super::modules::load(script, ctx, node, &lib.module)?)?;
        }
        let parts: Array<'js> = factory.call_arg(args)?;
        let part = |part: Part, text: &str| -> Result<Option<Persistent<Function<'static>>>> {
            if text.is_empty() {
                return Ok(None);
            }
            Ok(Some(Persistent::save(ctx, parts.get::<Function<'js>>(part as usize)?)))
        };
        let object = |name: &str| sandbox.get::<_, JsObject<'js>>(name).map(|object| Persistent::save(ctx, object));
        let program = Program {
            run: Persistent::save(ctx, parts.get::<Function<'js>>(Part::Body as usize)?),
            setup: part(Part::Setup, &source.setup)?,
            cleanup: part(Part::Cleanup, &source.cleanup)?,
            scope: object("scope")?,
            node: object("node")?,
            setup_node: object("setup")?,
            cleanup_node: object("cleanup")?,
        };
        self.factory.take();
        Ok(program)
    }
}
