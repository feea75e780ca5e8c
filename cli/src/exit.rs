//! Exit codes: one table for all subcommands, the same as in docs/configuration.md.

use std::process::ExitCode;

use flotilla_api::ClientError;

/// How a command ended. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed for another reason than those below.
    Failed = 1,
    /// The command line or a file that it names is wrong. clap uses the same number.
    Usage = 2,
    /// The group refused: nothing changed.
    Refused = 3,
    /// The rollout was halted, and the replicas went back.
    Halted = 4,
    /// The admin API, the store or a broker does not answer.
    Unreachable = 5,
    /// There was nothing to do: the group runs this already.
    Unchanged = 6,
    /// There is no such group, revision, replica or key.
    NotFound = 7,
    /// It was not done within the time that it had.
    TimedOut = 8,
    /// A replica's worker thread panicked: start it again.
    WorkerDead = 70,
    /// A replica lost the lease on its id, or a host the lease on its name: start it again under another one.
    LeaseLost = 75,
    /// A replica's worker did not go on, or it was to stop and did not within its time: something in it hangs. Start it again.
    WorkerStuck = 76,
}

/// An error with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// What went wrong and what to do.
    pub message: String,
}

impl Failure {
    /// An error.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into() }
    }
}

impl Exit {
    /// How a command that failed so ends.
    pub fn of(error: &anyhow::Error) -> Exit {
        let causes = || error.chain();
        if let Some(failure) = causes().find_map(|cause| cause.downcast_ref::<Failure>()) {
            return failure.exit;
        }
        match causes().find_map(|cause| cause.downcast_ref::<ClientError>()) {
            Some(error) => Exit::of_client(error),
            None => Exit::Failed,
        }
    }

    /// How a command whose request failed so ends.
    pub fn of_client(error: &ClientError) -> Exit {
        match error {
            ClientError::Unreachable { .. } | ClientError::Lost { .. } | ClientError::Foreign { .. } => {
                Exit::Unreachable
            }
            ClientError::TimedOut { .. } => Exit::TimedOut,
            ClientError::BadRequest { .. } => Exit::Usage,
            ClientError::Refused(problem) => match (&*problem.code, problem.status) {
                ("unchanged", _) => Exit::Unchanged,
                ("store_unavailable", _) => Exit::Unreachable,
                (_, 404) => Exit::NotFound,
                _ => Exit::Refused,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// What to do about an error of the admin API, as a line for people.
pub fn advice(error: &anyhow::Error) -> Option<&'static str> {
    match error.chain().find_map(|cause| cause.downcast_ref::<ClientError>())? {
        ClientError::Unreachable { .. } | ClientError::Lost { .. } => Some(
            "is `flotilla up` or `flotilla gateway` running there? --admin HOST:PORT (FLOTILLA_ADMIN) names another place",
        ),
        ClientError::Foreign { .. } => {
            Some("--admin HOST:PORT (FLOTILLA_ADMIN) names the admin API, not the flow's port")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::Problem;

    use super::*;

    #[test]
    fn refusals_have_codes_of_their_own() {
        let exit = |status, code| {
            let error = ClientError::Refused(Problem::new(status, code, "x"));
            Exit::of(&anyhow::Error::from(error).context("while deploying"))
        };
        assert_eq!(exit(409, "unchanged"), Exit::Unchanged);
        assert_eq!(exit(404, "no_such_group"), Exit::NotFound);
        assert_eq!(exit(422, "cannot_run"), Exit::Refused);
        assert_eq!(exit(503, "store_unavailable"), Exit::Unreachable);
        assert_eq!(Exit::of(&anyhow::anyhow!("x")), Exit::Failed);
        assert_eq!(Exit::of(&Failure::new(Exit::TimedOut, "x").into()), Exit::TimedOut);
    }
}
