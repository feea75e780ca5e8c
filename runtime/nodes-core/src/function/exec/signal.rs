//! Signals by the names that flows use.

use std::process::ExitStatus;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

#[cfg(unix)]
const SIGNALS: &[(&str, Signal)] = &[
    ("SIGABRT", Signal::ABORT),
    ("SIGALRM", Signal::ALARM),
    ("SIGBUS", Signal::BUS),
    ("SIGCHLD", Signal::CHILD),
    ("SIGCONT", Signal::CONT),
    ("SIGFPE", Signal::FPE),
    ("SIGHUP", Signal::HUP),
    ("SIGILL", Signal::ILL),
    ("SIGINT", Signal::INT),
    ("SIGIO", Signal::IO),
    ("SIGKILL", Signal::KILL),
    ("SIGPIPE", Signal::PIPE),
    ("SIGPROF", Signal::PROF),
    ("SIGQUIT", Signal::QUIT),
    ("SIGSEGV", Signal::SEGV),
    ("SIGSTOP", Signal::STOP),
    ("SIGSYS", Signal::SYS),
    ("SIGTERM", Signal::TERM),
    ("SIGTRAP", Signal::TRAP),
    ("SIGTSTP", Signal::TSTP),
    ("SIGTTIN", Signal::TTIN),
    ("SIGTTOU", Signal::TTOU),
    ("SIGURG", Signal::URG),
    ("SIGUSR1", Signal::USR1),
    ("SIGUSR2", Signal::USR2),
    ("SIGVTALRM", Signal::VTALARM),
    ("SIGWINCH", Signal::WINCH),
    ("SIGXCPU", Signal::XCPU),
    ("SIGXFSZ", Signal::XFSZ),
];

/// The default, and what a node sends to its processes when it is closed or their time is over.
pub(super) const TERMINATE: &str = "SIGTERM";

/// Sends a signal to a process that has not been waited for yet.
///
/// # Errors
/// When no signal has this name; a process that is gone already is no error.
#[cfg(unix)]
pub(super) fn send(pid: u32, name: &str) -> Result<(), String> {
    let found = SIGNALS.iter().find(|(known, _)| *known == name);
    let (_, signal) = found.ok_or_else(|| format!("Unknown signal: {name}"))?;
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, *signal);
    }
    Ok(())
}

/// The name of the signal that ended a process.
#[cfg(unix)]
pub(super) fn of(status: ExitStatus) -> Option<String> {
    let number = std::os::unix::process::ExitStatusExt::signal(&status)?;
    let found = SIGNALS.iter().find(|(_, signal)| signal.as_raw() == number);
    Some(found.map_or_else(|| format!("SIG{number}"), |(name, _)| (*name).to_owned()))
}

/// Signals are not known on this system.
#[cfg(not(unix))]
pub(super) fn send(_pid: u32, name: &str) -> Result<(), String> {
    Err(format!("{name} cannot be sent on this system"))
}

/// Signals are not known on this system.
#[cfg(not(unix))]
pub(super) fn of(_status: ExitStatus) -> Option<String> {
    None
}
