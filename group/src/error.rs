//! What can go wrong between replicas and the store.

use flotilla_store::StoreError;

use crate::no_place::PlacementError;

/// What can go wrong between replicas and the store.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A living process has this id.
    #[error(
        "replica id \"{id}\" is taken by a living process (its lease runs {remaining_ms} ms more): choose another --id"
    )]
    IdTaken {
        /// The id.
        id: String,
        /// How long the lease runs, if nobody renews it.
        remaining_ms: u128,
    },
    /// A change of placements is refused.
    #[error(transparent)]
    Placement(#[from] PlacementError),
    /// There is no such host.
    #[error("there is no host \"{0}\": see `flotilla host list`")]
    NoHost(String),
    /// Its agent lives.
    #[error(
        "the agent of host \"{0}\" is running: end it first (`flotilla host drain {0}` moves its replicas off before)"
    )]
    HostAlive(String),
    /// A living agent has this host's name.
    #[error(
        "host \"{host}\" has a living agent (its lease runs {remaining_ms} ms more): end that one, or choose another --host"
    )]
    HostTaken {
        /// The host.
        host: String,
        /// How long the lease runs, if nobody renews it.
        remaining_ms: u128,
    },
    /// A name that would not fit into a key or a topic.
    #[error("{what} \"{value}\" is not valid: use 1 to 64 of a-z A-Z 0-9 . _ -")]
    BadName {
        /// What is named.
        what: &'static str,
        /// The name.
        value: String,
    },
    /// What the store holds under a key is not what was written there.
    #[error("the store has something other than {what} under \"{key}\": {reason}")]
    Corrupt {
        /// What was expected.
        what: &'static str,
        /// The key.
        key: String,
        /// What does not fit.
        reason: String,
    },
    /// A record of a newer Flotilla.
    #[error(
        "the store holds {what} under \"{key}\" in format {format}, which a newer Flotilla wrote; this one ({version}) \
         reads formats up to {known}: upgrade this process", version = env!("CARGO_PKG_VERSION")
    )]
    NewerRecord {
        /// What it is.
        what: &'static str,
        /// The key.
        key: String,
        /// Its format.
        format: u64,
        /// The newest format that is known here.
        known: u64,
    },
    /// The revision is not in the store.
    #[error("revision {0} is not in the store")]
    NoRevision(String),
    /// Another rollout runs.
    #[error(
        "rollout {number} of group \"{group}\" still runs: wait for it, or cancel it with `flotilla rollout cancel`"
    )]
    RolloutActive {
        /// The group.
        group: String,
        /// The rollout's number.
        number: u64,
    },
    /// The group runs this revision already.
    #[error("group \"{group}\" already runs revision {revision}")]
    Unchanged {
        /// The group.
        group: String,
        /// The revision.
        revision: String,
    },
    /// The rules of a rollout do not fit the group.
    #[error("{reason}")]
    Rules {
        /// The field at fault.
        field: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// There is no rollout in a state for this.
    #[error("group \"{group}\" has no rollout that allows this now: see `flotilla rollout status`")]
    NoRollout {
        /// The group.
        group: String,
    },
    /// A revision lacks values.
    #[error(
        "revision {revision} has no value for {}: set them with `flotilla env set NAME=VALUE` (or --secret) and \
         `flotilla deploy --credential NODE.FIELD=VALUE`, then roll it out again", missing.join(", ")
    )]
    Missing {
        /// The revision.
        revision: String,
        /// The keys.
        missing: Vec<String>,
    },
    /// The group runs another revision than the change was made for.
    #[error(
        "group \"{group}\" runs revision {now} by now, not {base}; between them differ: {changed}. Look at `flotilla \
         revision diff {base} {now}` and deploy again"
    )]
    BaseChanged {
        /// The group.
        group: String,
        /// The revision that the change is of.
        base: String,
        /// The revision that it runs.
        now: String,
        /// What differs, in short.
        changed: String,
    },
    /// Something that is to be removed is not there.
    #[error("there is no {what} \"{name}\" to remove")]
    NoKeyName {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no good revision before this one.
    #[error("group \"{group}\" has no earlier revision to go back to: name one, see `flotilla revision list`")]
    NoPrevious {
        /// The group.
        group: String,
    },
    /// There is no such group.
    #[error("there is no group \"{0}\": see `flotilla group list`")]
    NoGroup(String),
    /// A group of this name is there already.
    #[error("there is a group \"{0}\" already")]
    GroupExists(String),
    /// Whoever ends the sessions of a group has lost its mark.
    #[error(
        "this process stood still for so long that group \"{group}\" may have replicas again, so it ends no more of the group's \
         MQTT sessions: try again"
    )]
    EndingLost {
        /// The group.
        group: String,
    },
    /// The group still has replicas.
    #[error("group \"{group}\" still has {replicas} {} first", if *replicas == 1 { "replica: stop it" } else { "replicas: stop them" })]
    GroupInUse {
        /// The group.
        group: String,
        /// How many.
        replicas: usize,
    },
    /// No process has this id.
    #[error("there is no living replica \"{0}\": see `flotilla group member list`")]
    NoReplica(String),
    /// A replica is in one group at a time.
    #[error(
        "replica \"{replica}\" is in group \"{group}\": take it out first with `flotilla group member remove {group} --replica {replica}`"
    )]
    MemberElsewhere {
        /// The replica.
        replica: String,
        /// The group that it is in.
        group: String,
    },
    /// It is there already.
    #[error("replica \"{replica}\" is in group \"{group}\" already")]
    IsMember {
        /// The replica.
        replica: String,
        /// The group.
        group: String,
    },
    /// It is not there.
    #[error("replica \"{replica}\" is not in group \"{group}\": see `flotilla group member list`")]
    NotMember {
        /// The replica.
        replica: String,
        /// The group.
        group: String,
    },
    /// A key does not fit the credentials.
    #[error("{reason}")]
    Key {
        /// The field at fault.
        field: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// There is no such user.
    #[error("there is no user \"{0}\": see `flotilla user list`")]
    NoUser(String),
    /// A user of this name is there already.
    #[error("there is a user \"{0}\" already")]
    UserExists(String),
    /// There is no such token.
    #[error("there is no token \"{0}\": see `flotilla token list`")]
    NoToken(String),
    /// Others changed the same thing all the time.
    #[error("group \"{group}\" is being changed by others at the same time: try again")]
    Busy {
        /// The group.
        group: String,
    },
    /// There is nothing of this name.
    #[error("{what} \"{name}\": see `{see}`")]
    NoSuch {
        /// For scripts.
        code: &'static str,
        /// What is not there, up to the name.
        what: String,
        /// The name.
        name: String,
        /// The command that lists what there is.
        see: &'static str,
    },
    /// A value cannot be used.
    #[error("{reason}")]
    Invalid {
        /// The field at fault.
        field: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// It cannot be done as things are.
    #[error("{reason}")]
    Conflict {
        /// For scripts.
        code: &'static str,
        /// Why not and what to do.
        reason: String,
    },
}
