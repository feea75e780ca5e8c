//! Which things of the API have versions, and why others have none.

use flotilla_group::version::Mark;

/// What a route is about, for `ETag` and `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioned {
    /// A user: `{user}`.
    User,
    /// What users say of a group: `{group}`.
    Group,
    /// A server group: `{name}`.
    ServerGroup,
    /// A host: `{host}`.
    Host,
    /// A group's environment variables: `{group}`.
    Env,
    /// A pipeline: `{name}`.
    Pipeline,
    /// A dead letter: `{group}` and `{id}`.
    DeadLetter,
    /// A group's rule of which deliveries are recorded: `{group}`.
    TrailRule,
    /// It has no versions, because of this.
    No(&'static str),
}

impl Versioned {
    /// What the path names. `None`: it has no versions, or nothing can have this name.
    pub(super) fn mark<'a>(self, param: impl Fn(&str) -> Option<&'a str>) -> Option<Mark> {
        match self {
            Versioned::User => Mark::user(param("user")?),
            Versioned::Group => Mark::group(param("group")?),
            Versioned::ServerGroup => Mark::server_group(param("name")?),
            Versioned::Host => Mark::host(param("host")?),
            Versioned::Env => Mark::env(param("group")?),
            Versioned::Pipeline => Mark::pipeline(param("name")?),
            Versioned::DeadLetter => Mark::dead_letter(param("group")?, param("id")?.parse().ok()?),
            Versioned::TrailRule => Mark::trail_rule(param("group")?),
            Versioned::No(_) => None,
        }
    }

    /// What it is called in the docs; `None` when it has no versions.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Versioned::User => "the user",
            Versioned::Group => "the group",
            Versioned::ServerGroup => "the server group",
            Versioned::Host => "the host",
            Versioned::Env => "the variables",
            Versioned::Pipeline => "the pipeline",
            Versioned::DeadLetter => "the dead letter",
            Versioned::TrailRule => "the rule",
            Versioned::No(_) => return None,
        })
    }
}
