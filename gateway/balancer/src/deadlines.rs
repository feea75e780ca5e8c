//! How long each hop of a request may take: nothing waits without an end.

use std::time::Duration;

/// How long each hop of a request may take.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// To connect to a replica; past it the next one is tried.
    pub connect: Duration,
    /// A request waits for a ready replica; past it, it is answered 503, and so are those after it, at once, until one is
    /// ready.
    pub failfast: Duration,
    /// From the end of the request's body to the head of the answer; past it the answer is 504.
    pub answer: Duration,
    /// Other answer deadlines by path; the first that fits counts.
    pub routes: Vec<RouteDeadline>,
    /// A client's connection without a whole request head.
    pub idle: Duration,
    /// Between two pieces of an answer's body.
    pub stall: Duration,
    /// How slowly a request's body may come.
    pub body: Pace,
}

/// How slowly a request's body may come: the time that is spent waiting for it is at most `grace` and what its bytes so
/// far take at `rate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Waiting that is free.
    pub grace: Duration,
    /// Bytes a second.
    pub rate: u64,
}

/// An answer deadline of some paths.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteDeadline {
    /// The path, or what paths begin with when it ends with `*`.
    path: String,
    deadline: Duration,
}

/// A route deadline that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("\"{text}\" is not a route deadline: write PATH=SECONDS, for example /reports/*=600")]
pub struct BadRoute {
    text: String,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            connect: Duration::from_secs(1),
            failfast: Duration::from_secs(5),
            // A replica answers 504 itself after 120 s, unless httpNodeTimeout is set.
            answer: Duration::from_secs(130),
            routes: Vec::new(),
            idle: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            body: Pace { grace: Duration::from_secs(20), rate: 4096 },
        }
    }
}

impl Deadlines {
    /// The answer deadline of a path.
    pub(super) fn answer_to(&self, path: &str) -> Duration {
        self.routes.iter().find(|route| route.fits(path)).map_or(self.answer, |route| route.deadline)
    }
}

impl Pace {
    /// How long it may be waited for in all, after so many bytes.
    pub(super) fn budget(&self, received: u64) -> Duration {
        self.grace + Duration::from_millis(received.saturating_mul(1000) / self.rate.max(1))
    }
}

impl RouteDeadline {
    fn fits(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.path,
        }
    }
}

impl std::str::FromStr for RouteDeadline {
    type Err = BadRoute;

    fn from_str(text: &str) -> Result<RouteDeadline, BadRoute> {
        let bad = || BadRoute { text: text.to_owned() };
        let (path, seconds) = text.rsplit_once('=').ok_or_else(bad)?;
        let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0.0).ok_or_else(bad)?;
        let deadline = Duration::try_from_secs_f64(seconds).map_err(|_| bad())?;
        if !path.starts_with('/') {
            return Err(bad());
        }
        Ok(RouteDeadline { path: path.to_owned(), deadline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_route_that_fits_counts() {
        let routes = ["/a=1", "/a*=2", "/b/*=3.5"].map(|text| text.parse().unwrap()).to_vec();
        let deadlines = Deadlines { routes, answer: Duration::from_secs(9), ..Deadlines::default() };
        let seconds = |path: &str| deadlines.answer_to(path).as_secs_f64();
        assert_eq!(["/a", "/ab", "/b/c", "/b"].map(|path| (seconds(path) * 10.0) as u64), [10, 20, 35, 90]);
        for bad in ["/a", "a=1", "/a=x", "/a=-1", "/a=0"] {
            assert!(bad.parse::<RouteDeadline>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_body_gets_time_for_what_has_come() {
        let pace = Pace { grace: Duration::from_secs(10), rate: 1000 };
        assert_eq!(pace.budget(0), Duration::from_secs(10));
        assert_eq!(pace.budget(5000), Duration::from_secs(15));
    }
}
