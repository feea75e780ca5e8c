//! A replica's process: started by this one, or by what this one was before it restarted itself.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use tokio::io::unix::AsyncFd;
use tokio::process::Child as Own;

/// A replica's process.
pub(super) enum Child {
    /// Started by this process.
    Own(Own),
    /// Started by the process image before: still a child of this process.
    Adopted {
        /// Its number.
        pid: u32,
        /// Readable once it has ended.
        fd: AsyncFd<OwnedFd>,
    },
}

impl Child {
    /// A child that the process image before started.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub(super) fn adopt(pid: u32) -> io::Result<Child> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        let fd = pidfd_open(raw, PidfdFlags::NONBLOCK)?;
        // The number may be another process's by now. That is no child of this one, and is not to be killed.
        waitid(WaitId::PidFd(fd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)?;
        #[allow(deprecated, reason = "unsound for what closes its descriptor early, which an OwnedFd does not")]
        let fd = AsyncFd::new(fd)?;
        Ok(Child::Adopted { pid, fd })
    }

    pub(super) fn id(&self) -> Option<u32> {
        match self {
            Child::Own(own) => own.id(),
            Child::Adopted { pid, .. } => Some(*pid),
        }
    }

    /// Waits for its end; how it ended, for people.
    pub(super) async fn wait(&mut self) -> String {
        match self {
            Child::Own(own) => own.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string()),
            Child::Adopted { fd, .. } => loop {
                let mut ready = match fd.readable().await {
                    Ok(ready) => ready,
                    Err(error) => return error.to_string(),
                };
                return match waitid(WaitId::PidFd(fd.get_ref().as_fd()), WaitIdOptions::EXITED) {
                    // It has not ended.
                    Err(Errno::AGAIN) => {
                        ready.clear_ready();
                        continue;
                    }
                    Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                        (Some(code), _) => format!("exit status: {code}"),
                        (None, Some(signal)) => format!("signal: {signal}"),
                        (None, None) => "it ended".to_owned(),
                    },
                    Ok(None) => "it ended".to_owned(),
                    Err(error) => error.to_string(),
                };
            },
        }
    }

    /// SIGKILL; waits for the end.
    pub(super) async fn kill(&mut self) {
        match self {
            Child::Own(own) => drop(own.kill().await),
            Child::Adopted { fd, .. } => {
                let _ = pidfd_send_signal(fd.get_ref(), Signal::KILL);
                self.wait().await;
            }
        }
    }
}
