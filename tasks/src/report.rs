//! Reporting a panic: a log line, a count, and whoever watches.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use smol_str::SmolStr;

/// A task or thread that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// The task's name.
    pub name: &'static str,
    /// What it belonged to.
    pub owner: SmolStr,
    /// What its failure means.
    pub failure: &'static str,
    /// The text of the panic.
    pub text: String,
}

type Watcher = Box<dyn Fn(&Panicked) + Send + Sync>;

static PANICS: AtomicU64 = AtomicU64::new(0);
static WATCHER: OnceLock<Watcher> = OnceLock::new();

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task \"{}\" of {} panicked: {}", self.name, self.owner, self.text)
    }
}

impl std::error::Error for Panicked {}

/// How many tasks and threads have panicked in this process.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Calls `watcher` with each panic from now on, on the thread where it happened. The first watcher of the process stays;
/// false for a later one.
pub fn watch_panics(watcher: impl Fn(&Panicked) + Send + Sync + 'static) -> bool {
    WATCHER.set(Box::new(watcher)).is_ok()
}

/// The text that a panic was raised with.
pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given").to_owned()
}

pub(crate) fn report(panicked: &Panicked) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(
        task = panicked.name,
        owner = panicked.owner.as_str(),
        "task \"{}\" panicked: {} ({})",
        panicked.name,
        panicked.text,
        panicked.failure,
    );
    if let Some(watcher) = WATCHER.get() {
        watcher(panicked);
    }
}
