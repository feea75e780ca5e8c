//! What an answer of another installation, or none, means for whoever asked.

use std::error::Error;

use flotilla_api::{ClientError, Problem};

use super::bounds::text;

/// Why something did not go at another installation. Each names its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never will, as things are.
    Never(String),
    /// Our token is not good, or lacks a right: another one may be given.
    Token(String),
    /// Not now: something there is to end first.
    NotNow(String),
    /// It does not answer, or cannot.
    Away(String),
}

impl Fault {
    /// Of an error of the client; `url`: what it talked to.
    pub(super) fn of(url: &str, error: &ClientError) -> Fault {
        match error {
            ClientError::Refused(problem) => refused(url, problem),
            ClientError::BadRequest { .. } => Fault::Never(format!("{url}: {error}")),
            ClientError::Unreachable { .. }
            | ClientError::Lost { .. }
            | ClientError::TimedOut { .. }
            | ClientError::Foreign { .. } => {
                let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
                Fault::Away(text(format!("{url}: {error}{why}")))
            }
        }
    }

    /// What it is, for people.
    pub(crate) fn why(&self) -> &str {
        match self {
            Fault::Never(why) | Fault::Token(why) | Fault::NotNow(why) | Fault::Away(why) => why,
        }
    }
}

fn refused(url: &str, problem: &Problem) -> Fault {
    let Problem { status, code, detail, right, .. } = problem;
    // What stands there is theirs.
    let (detail, code) = (text(detail.clone()), text(code.to_string()));
    let answered = format!("{url} answered {status} ({code})");
    match (status, &*code) {
        (401, _) => Fault::Token(format!("{answered}: the token is not known there, or has expired")),
        (403, "protected") => Fault::Never(format!("{answered}: {detail}")),
        (403, _) => {
            let right = right
                .as_deref()
                .map(|right| text(format!(", the token lacks the right \"{right}\"")))
                .unwrap_or_default();
            Fault::Token(format!("{answered}{right}: {detail}"))
        }
        (404, "not_found") => Fault::Never(format!("{answered}: the Flotilla there is older and takes nothing over")),
        (409, "rollout_active" | "base_changed" | "busy" | "group_paused" | "missing_keys") => {
            Fault::NotNow(format!("{answered}: {detail}"))
        }
        (429 | 500.., _) => Fault::Away(format!("{answered}: {detail}")),
        _ => Fault::Never(format!("{answered}: {detail}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_says_where_what_and_whether_to_try_again() {
        let fault = |problem: Problem| Fault::of("https://b:1", &ClientError::Refused(problem));
        let missing =
            Problem { right: Some("deploy".into()), ..Problem::new(403, "forbidden", "robot may not deploy") };
        let Fault::Token(why) = fault(missing) else { panic!("a token") };
        assert_eq!(
            why,
            "https://b:1 answered 403 (forbidden), the token lacks the right \"deploy\": robot may not deploy"
        );
        assert!(matches!(fault(Problem::new(401, "unauthorized", "who are you")), Fault::Token(_)));
        assert!(matches!(fault(Problem::new(403, "protected", "p")), Fault::Never(_)));
        assert!(matches!(fault(Problem::new(409, "rollout_active", "r")), Fault::NotNow(_)));
        assert!(matches!(fault(Problem::new(422, "cannot_run", "c")), Fault::Never(_)));
        for status in [429, 500, 503] {
            assert!(matches!(fault(Problem::new(status, "x", "y")), Fault::Away(_)), "{status}");
        }
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let gone = ClientError::Unreachable { address: "b:1".to_owned(), source: refused };
        assert_eq!(
            Fault::of("https://b:1", &gone),
            Fault::Away("https://b:1: nothing answers at b:1: connection refused".to_owned())
        );
    }
}
