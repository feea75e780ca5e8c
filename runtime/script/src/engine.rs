//! One QuickJS runtime per worker thread, and its realms.
//!
//! A realm of its own per function node, as Node-RED's `vm` contexts, would cost each node a copy of every built-in and
//! of the prelude. Instead all function nodes of a worker share one realm, and what a script would put on the global
//! object becomes a variable of its node: see [`super::globals`]. What is shared are the built-ins themselves: they are
//! frozen there, and code that changes built-ins has a realm of its own, see [`super::realms`].

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rquickjs::{
    Atom, CatchResultExt, Context, Ctx, Function, Object as JsObject, Persistent, Result, Runtime, Value as JsValue,
};
use rustc_hash::{FxBuildHasher, FxHashMap};

use flotilla_engine::Worker;
use flotilla_tasks::Task;
use flotilla_value::Str;

use super::function::FunctionScript;
use super::invocation::Invocation;
use super::no_modules::NoModules;
use super::realms::Builtins;
use super::shapes::Shapes;
use super::sources::Sources;

/// What the scripts of one worker may use together, in MB, unless the setting `functionMemoryLimit` says otherwise.
const MEMORY_LIMIT: f64 = 64.0;
/// What one run may hand out of the realm, by sending it or putting it into context, in parts of what scripts may use.
const HANDED_OUT: usize = 4;
/// Native stack for scripts; worker threads have 2 MiB.
const STACK_LIMIT: usize = 640 << 10;
/// Bytes allocated between searches for cyclic garbage, at first.
const GC_THRESHOLD: usize = 4 << 20;
/// How often it is measured what scripts use: QuickJS walks its heap for that.
const MEASURE: Duration = Duration::from_secs(15);
/// Property names kept for reuse.
const NAMES: usize = 4096;

type Getter = (Persistent<Function<'static>>, Persistent<Function<'static>>);

/// A worker's script engine: a realm, and what is kept for it. That of the worker lives as long as the process: a QuickJS
/// runtime must not be freed while anything still refers into it, and worker threads end with the process. One that a node
/// has for itself ends with the node, when the collector has found the last of its functions: see [`super::realms`].
pub struct Script {
    pub(super) context: RefCell<Rc<Context>>,
    pub(super) realm: RefCell<Option<Rc<Realm>>>,
    /// What all realms of the thread share.
    pub(super) thread: Rc<Thread>,
    pub(super) names: RefCell<HashMap<Persistent<Atom<'static>>, Str, FxBuildHasher>>,
    pub(super) accessors: RefCell<FxHashMap<Str, Getter>>,
    /// Accessors and methods of host objects: what they do is done in the name of this realm.
    pub(super) host_accessors: RefCell<FxHashMap<Str, Getter>>,
    pub(super) host_methods: RefCell<FxHashMap<&'static str, Persistent<Function<'static>>>>,
    /// Functions that set a list of properties.
    pub(super) fillers: RefCell<Shapes<Persistent<Function<'static>>>>,
    /// Prototypes of slim views.
    pub(super) slim_protos: RefCell<Shapes<Persistent<JsObject<'static>>>>,
    /// The script that runs goes by property names alone: its views are slim.
    pub(super) slim: Cell<bool>,
    /// Host objects that the run has seen: what it wrote onto them is told at its end.
    pub(super) hosts: RefCell<Vec<Persistent<JsObject<'static>>>>,
    /// The node whose code runs.
    pub(super) node: RefCell<Weak<FunctionScript>>,
    pub(super) sources: Sources,
    /// The invocation that runs, or whose timer or promise does.
    pub(super) current: RefCell<Option<Rc<Invocation>>>,
    /// Bytes that the run has handed out, roughly.
    handed_out: Cell<usize>,
    /// Its node is closed: nothing is kept for it beyond a run.
    pub(super) retired: Cell<bool>,
    /// It was entered for its own node: what is kept meanwhile goes when that is over.
    entered: Cell<bool>,
}

/// What all realms of a thread share.
pub(super) struct Thread {
    runtime: Runtime,
    limit: Rc<Limit>,
    running: Cell<bool>,
    /// How many [`Script`]s there are.
    pub(super) realms: Cell<usize>,
    /// What the scripts of this worker may use together, in bytes.
    memory_limit: Cell<usize>,
    /// Promises that were rejected without anyone listening, with the reason.
    pub(super) rejected: RefCell<Vec<(Persistent<JsValue<'static>>, Persistent<JsValue<'static>>)>>,
}

/// When the running script is stopped.
#[derive(Default)]
struct Limit {
    deadline: Cell<Option<Instant>>,
    expired: Cell<bool>,
    /// The worker cuts off what it is busy with.
    cut: Option<Arc<AtomicBool>>,
}

/// While something runs in the realm.
struct Entered<'a>(&'a Script);

/// Objects of the realm that conversions need.
pub(super) struct Realm {
    pub(super) view_proto: Persistent<JsObject<'static>>,
    pub(super) object_proto: Persistent<JsValue<'static>>,
    pub(super) host_proto: Persistent<JsObject<'static>>,
    pub(super) buffer_proto: Persistent<JsObject<'static>>,
    pub(super) tools: Persistent<JsObject<'static>>,
    pub(super) kind_of: Persistent<Function<'static>>,
}

/// What the settings of this thread's worker allow scripts to use together, in bytes.
fn memory_limit() -> usize {
    let limit = Worker::current().and_then(|worker| worker.shared().settings().number("functionMemoryLimit"));
    let limit = limit.filter(|limit| *limit >= 1.0).unwrap_or(MEMORY_LIMIT);
    (limit * f64::from(1 << 20)) as usize
}

thread_local! {
    static SCRIPT: OnceCell<&'static Rc<Script>> = const { OnceCell::new() };
}

/// The script engine cannot start on this thread.
#[derive(Debug, thiserror::Error)]
#[error("the script engine cannot start: {0}")]
pub struct ScriptStartError(String);

impl Script {
    /// The script engine of this thread, made on first use.
    pub fn current() -> std::result::Result<&'static Rc<Script>, ScriptStartError> {
        SCRIPT.with(|cell| {
            if let Some(script) = cell.get() {
                return Ok(*script);
            }
            let script = Script::start()?;
            Ok(*cell.get_or_init(|| &*Box::leak(Box::new(script))))
        })
    }

    /// The script engine of this thread, if there is one, takes what the settings of its worker allow today. It may be older than
    /// they are: it is started while a revision is still being read.
    pub fn follow_settings() {
        let Some(script) = SCRIPT.with(|cell| cell.get().copied()) else { return };
        let limit = memory_limit();
        if script.thread.memory_limit.replace(limit) != limit {
            script.thread.runtime.set_memory_limit(limit);
        }
    }

    fn start() -> std::result::Result<Rc<Script>, ScriptStartError> {
        let fail = |error: rquickjs::Error| ScriptStartError(error.to_string());
        let runtime = Runtime::new().map_err(fail)?;
        runtime.set_loader(NoModules, NoModules);
        let memory_limit = memory_limit();
        runtime.set_memory_limit(memory_limit);
        runtime.set_max_stack_size(STACK_LIMIT);
        runtime.set_gc_threshold(GC_THRESHOLD);
        let cut = Worker::current().map(|worker| worker.shared().health().cutting());
        let limit = Rc::new(Limit { cut, ..Limit::default() });
        let guard = limit.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || guard.is_over())));
        let thread = Rc::new(Thread {
            runtime,
            limit,
            running: Cell::new(false),
            realms: Cell::new(0),
            memory_limit: Cell::new(memory_limit),
            rejected: RefCell::default(),
        });
        let listening = thread.clone();
        thread.runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
            listening.track_rejection(&ctx, promise, reason, handled);
        })));
        let script = Script::make(&thread, Builtins::Frozen)?;
        script.measure();
        Ok(script)
    }

    /// A realm of its own on this thread.
    pub(super) fn make(thread: &Rc<Thread>, builtins: Builtins) -> std::result::Result<Rc<Script>, ScriptStartError> {
        let fail = |error: rquickjs::Error| ScriptStartError(error.to_string());
        let context = Rc::new(Context::full(&thread.runtime).map_err(fail)?);
        thread.realms.set(thread.realms.get() + 1);
        let script = Rc::new(Script {
            context: RefCell::new(context.clone()),
            realm: RefCell::default(),
            thread: thread.clone(),
            names: RefCell::default(),
            accessors: RefCell::default(),
            host_accessors: RefCell::default(),
            host_methods: RefCell::default(),
            fillers: RefCell::default(),
            slim_protos: RefCell::default(),
            slim: Cell::new(false),
            hosts: RefCell::default(),
            node: RefCell::default(),
            sources: Sources::default(),
            current: RefCell::default(),
            handed_out: Cell::new(0),
            retired: Cell::new(false),
            entered: Cell::new(false),
        });
        let made = context.with(|ctx| {
            let made = super::realm::make(&script, &ctx, builtins).catch(&ctx);
            made.map_err(|error| ScriptStartError(error.to_string()))
        });
        match made {
            Ok(realm) => *script.realm.borrow_mut() = Some(Rc::new(realm)),
            Err(error) => {
                // What was made of it holds it. The worker's own runtime is never freed, whatever is left in it.
                if builtins == Builtins::Open {
                    script.retire();
                }
                return Err(error);
            }
        }
        Ok(script)
    }

    /// Tells the worker's beat now and then how much memory scripts use.
    fn measure(self: &Rc<Self>) {
        let Some(worker) = Worker::current() else { return };
        let (beat, script) = (worker.beat().clone(), self.clone());
        let task = Task {
            name: "memory of scripts",
            owner: format!("worker {}", worker.index()).into(),
            ends: "the worker ends",
            failure: "the metric keeps its last value",
        };
        drop(task.spawn_local(async move {
            loop {
                beat.set_script_bytes(script.memory_used());
                tokio::time::sleep(MEASURE).await;
            }
        }));
    }

    pub(super) fn realm(&self) -> Rc<Realm> {
        self.realm.borrow().clone().expect("set by make() before anyone gets the engine")
    }

    /// True while a script runs on this thread: another must not begin.
    pub fn is_running(&self) -> bool {
        self.thread.running.get()
    }

    /// Runs something in the realm, for at most `limit`.
    pub(super) fn enter<R>(&self, limit: Option<Duration>, work: impl FnOnce(&Ctx<'_>) -> R) -> R {
        self.thread.running.set(true);
        self.entered.set(true);
        self.handed_out.set(0);
        self.restart_clock(limit);
        // Also when a native part panics: else no script would ever start on this worker again.
        let _left = Entered(self);
        let context = self.context.borrow().clone();
        context.with(|ctx| work(&ctx))
    }

    /// Whether anything may be kept for later. Not when its node is closed and another has its turn, in which a late promise runs code of
    /// this realm: nobody would let go of it.
    pub(super) fn may_keep(&self) -> bool {
        self.entered.get() || !self.retired.get()
    }

    /// True when the running script was stopped because its time was up.
    pub(super) fn is_expired(&self) -> bool {
        self.thread.limit.expired.get()
    }

    /// Gives a script that follows in the same [`Script::enter`] its own time.
    pub(super) fn restart_clock(&self, limit: Option<Duration>) {
        self.thread.limit.expired.set(false);
        self.thread.limit.deadline.set(limit.map(|limit| Instant::now() + limit));
    }

    /// Counts what a run hands out: outside of the realm no limit of the engine holds. The limit in MB when that is too much.
    pub(super) fn hand_out(&self, bytes: usize) -> std::result::Result<(), usize> {
        let all = self.handed_out.get() + bytes;
        self.handed_out.set(all);
        let limit = self.memory_limit().saturating_mul(HANDED_OUT);
        if all <= limit { Ok(()) } else { Err(limit >> 20) }
    }

    /// What a run hands out is counted from here on.
    pub(super) fn hands_out_anew(&self) {
        self.handed_out.set(0);
    }

    /// Bytes that scripts of this thread may use together.
    pub(super) fn memory_limit(&self) -> usize {
        self.thread.memory_limit.get()
    }

    /// Bytes that scripts use on this thread.
    pub(super) fn memory_used(&self) -> usize {
        self.thread.runtime.memory_usage().malloc_size as usize
    }

    /// The text of a property name, from the cache where possible.
    pub(super) fn name_of<'js>(&self, ctx: &Ctx<'js>, atom: &Atom<'js>) -> Result<Str> {
        let kept = Persistent::save(ctx, atom.clone());
        if let Some(name) = self.names.borrow().get(&kept) {
            return Ok(name.clone());
        }
        let name = Str::from(atom.to_js_string()?.to_string().unwrap_or_default());
        if !self.may_keep() {
            return Ok(name);
        }
        let mut names = self.names.borrow_mut();
        if names.len() >= NAMES {
            names.clear();
        }
        names.insert(kept, name.clone());
        Ok(name)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.thread.limit.deadline.set(None);
        self.0.thread.running.set(false);
        self.0.entered.set(false);
        if std::thread::panicking() {
            *self.0.current.borrow_mut() = None;
        }
        if self.0.retired.get() {
            self.0.let_go();
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.thread.realms.set(self.thread.realms.get() - 1);
    }
}

impl Thread {
    fn track_rejection<'js>(&self, ctx: &Ctx<'js>, promise: JsValue<'js>, reason: JsValue<'js>, handled: bool) {
        let promise = Persistent::save(ctx, promise);
        let mut rejected = self.rejected.borrow_mut();
        if handled {
            rejected.retain(|(known, _)| *known != promise);
        } else {
            rejected.push((promise, Persistent::save(ctx, reason)));
        }
    }
}

impl Limit {
    fn is_over(&self) -> bool {
        let cut = self.cut.as_ref().is_some_and(|cut| cut.load(Ordering::Relaxed));
        let over = cut || self.deadline.get().is_some_and(|deadline| Instant::now() > deadline);
        if over {
            self.expired.set(true);
        }
        over
    }
}
