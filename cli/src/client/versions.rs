//! Changes of the version that was read before.

use flotilla_api::ClientError;

use crate::exit::{Exit, Failure};

/// True when a change was refused because somebody else changed the same thing meanwhile.
pub fn is_changed_meanwhile(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.code == "changed_meanwhile")
}

/// Why a change was not made. `thing`: what was to be changed; `show`: the command that shows it.
pub fn not_written(error: ClientError, thing: &str, show: &str) -> anyhow::Error {
    if !is_changed_meanwhile(&error) {
        return error.into();
    }
    let why = format!(
        "{thing} was changed by somebody else meanwhile, so nothing was written: see what `{show}` shows now, and run this \
         command again"
    );
    Failure::new(Exit::Refused, why).into()
}
