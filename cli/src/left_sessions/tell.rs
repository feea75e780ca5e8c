//! What is said of sessions that were to be ended.

use std::process::ExitCode;

use flotilla_api::group::SessionEnd;

use crate::exit::Exit;
use crate::plain::print;

/// Reports what became of sessions: the ended ones unless `quiet`. Exit code 5 when some are left; `again` is how to try again.
pub fn tell(sessions: &[SessionEnd], quiet: bool, again: &str) -> anyhow::Result<ExitCode> {
    let mut left = 0;
    for SessionEnd { client_id, broker, problem } in sessions {
        match problem {
            None if !quiet => print(&format!("ended the MQTT session {client_id} at {broker}\n")),
            None => {}
            Some(why) => {
                left += 1;
                eprintln!("the MQTT session {client_id} at {broker} was not ended: {why}");
            }
        }
    }
    if left == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let sessions = if left == 1 { "1 MQTT session was" } else { &*format!("{left} MQTT sessions were") };
    eprintln!(
        "{sessions} not ended: brokers may queue messages there until the session expires (--keep-session). When \
         the cause is fixed, try again: {again}"
    );
    Ok(Exit::Unreachable.into())
}
