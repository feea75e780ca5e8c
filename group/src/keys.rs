//! Where things are in the store.

use crate::error::GroupError;

pub(crate) use crate::record::{encode, read};

/// Refuses names that would not fit into a key, a share name or a file name.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), GroupError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(GroupError::BadName { what, value: name.to_owned() })
}

/// What the keys of a group's shared context begin with; `SCOPE/KEY` follows.
pub fn context_prefix(group: &str) -> String {
    format!("context/{group}/")
}

/// Set when context that Node-RED kept in files was imported into the group's.
pub fn context_imported(group: &str) -> String {
    format!("context-imported/{group}")
}

/// The keys of groups that are replaced, or were; the fingerprint of the old key follows.
pub(crate) const KEY_NEXT: &str = "key-next/";

/// What comes after a key of groups.
pub(crate) fn key_next(fingerprint: &str) -> String {
    format!("{KEY_NEXT}{fingerprint}")
}

/// All groups.
pub(crate) const GROUPS: &str = "groups/";

/// What a group is: its name, description, size.
pub(crate) fn spec(group: &str) -> String {
    format!("{GROUPS}{group}")
}

/// All users.
pub(crate) const USERS: &str = "user/";

/// A user.
pub(crate) fn user(name: &str) -> String {
    format!("{USERS}{name}")
}

/// All tokens of users.
pub(crate) const TOKENS: &str = "token/";

/// A token, by its identifier.
pub(crate) fn token(id: &str) -> String {
    format!("{TOKENS}{id}")
}

/// When a token was last used.
pub(crate) fn token_used(id: &str) -> String {
    format!("token-used/{id}")
}

/// A session of a page, by its identifier.
pub(crate) fn page_session(id: &str) -> String {
    format!("page-session/{id}")
}

/// A sign-in at a provider that has not come back, by the hash of its state.
pub(crate) fn sign_in(digest: &str) -> String {
    format!("sign-in/{digest}")
}

/// All join tokens.
pub(crate) const JOINS: &str = "join/";

/// A join token, by its identifier.
pub(crate) fn join(id: &str) -> String {
    format!("{JOINS}{id}")
}

/// All replicas that are somebody's.
pub(crate) const OWNED: &str = "host/";

/// Whose a replica is.
pub(crate) fn host(replica: &str) -> String {
    format!("{OWNED}{replica}")
}

/// The audit entries that are about no group.
pub(crate) const SYSTEM_AUDITS: &str = "audit/";

/// Who is placed where.
pub(crate) const PLACEMENT: &str = "placement";
/// The lease on placing and moving members.
pub(crate) const PLACEMENT_LEASE: &str = "placement";

/// All binaries of Flotilla that agents may run.
pub(crate) const BINARIES: &str = "binary/";

/// A binary.
pub(crate) fn binary(sha256: &str) -> String {
    format!("{BINARIES}{sha256}")
}

/// The chunks of a binary.
pub(crate) fn binary_chunks(sha256: &str) -> String {
    format!("binary-chunk/{sha256}/")
}

/// A chunk of a binary.
pub(crate) fn binary_chunk(sha256: &str, index: u32) -> String {
    format!("{}{index:06}", binary_chunks(sha256))
}

/// What agents say of their hosts when they start.
pub(crate) const HOSTS: &str = "agent/";

/// A host; also the name of the lease on it.
pub(crate) fn agent(name: &str) -> String {
    format!("{HOSTS}{name}")
}

/// Signs of life of hosts.
pub(crate) const HOST_BEATS: &str = "agent-beat/";

/// A host's last sign of life.
pub(crate) fn agent_beat(name: &str) -> String {
    format!("{HOST_BEATS}{name}")
}

/// All replicas of a group; without a name those in no group.
pub(crate) fn members(group: &str) -> String {
    if group.is_empty() { "spare/".to_owned() } else { format!("group/{group}/replica/") }
}

/// A replica's record.
pub(crate) fn member(group: &str, id: &str) -> String {
    members(group) + id
}

/// What users said of replicas' groups.
pub(crate) const MEMBERSHIPS: &str = "membership/";

/// In which group a replica is to be, when users said so.
pub(crate) fn membership(id: &str) -> String {
    format!("{MEMBERSHIPS}{id}")
}

/// The lease on a replica's id: one for all groups, because ids are unique.
pub(crate) fn member_lease(id: &str) -> String {
    format!("replica/{id}")
}

/// True for what a running process keeps of itself: it writes it anew when it starts, and it says nothing to others.
pub fn is_of_a_process(key: &str) -> bool {
    let of_group = || key.strip_prefix("group/")?.split_once('/').map(|(_, rest)| rest);
    key.starts_with("spare/")
        || key.starts_with(HOST_BEATS)
        || of_group().is_some_and(|rest| {
            ["replica/", "gateway/", "relay/"].iter().any(|start| rest.starts_with(start))
                || rest == "consumers"
                || rest == "supervisor"
        })
}

const ADOPTER: &str = "adopter ";

/// The holder of a dead replica's id while a survivor finishes its sessions.
pub(crate) fn adopter(process: &str) -> String {
    format!("{ADOPTER}{process}")
}

/// True for a holder that is such a survivor.
pub(crate) fn is_adopter(holder: &str) -> bool {
    holder.starts_with(ADOPTER)
}

const LEFT: &str = "left-";

/// In place of a replica's id in the record of a session that was left behind on purpose: nobody holds this id.
pub(crate) fn left_behind(client_id: &str) -> String {
    format!("{LEFT}{client_id}")
}

/// True for the record of a session that was left behind on purpose.
pub(crate) fn is_left_behind(id: &str) -> bool {
    id.starts_with(LEFT)
}

/// Says that the sessions of a dead replica were taken over: its id is not to be used again.
pub(crate) fn taken_over(id: &str) -> String {
    format!("taken-over/{id}")
}

/// All sessions at brokers that a group's replicas have.
pub(crate) fn sessions(group: &str) -> String {
    format!("group/{group}/session/")
}

/// A session at a broker.
pub(crate) fn session(group: &str, client_id: &str) -> String {
    format!("group/{group}/session/{client_id}")
}

/// The replicas that consume for a group.
pub(crate) fn consumers(group: &str) -> String {
    format!("group/{group}/consumers")
}

/// All gateways of a group.
pub(crate) fn gateways(group: &str) -> String {
    format!("group/{group}/gateway/")
}

/// To which replicas a gateway routes.
pub(crate) fn gateway(group: &str, id: &str) -> String {
    format!("group/{group}/gateway/{id}")
}

/// What the group is to run, and the rollout to it.
pub(crate) fn desired(group: &str) -> String {
    format!("group/{group}/course")
}

/// The alerts of a group.
pub(crate) fn alerts(group: &str) -> String {
    format!("group/{group}/alerts")
}

/// What the processes of a group's replicas tell each other at once.
pub(crate) fn relay(group: &str) -> String {
    format!("group/{group}/relay/")
}

/// Says that a process listens to the others.
pub(crate) fn listens(group: &str, process: &str) -> String {
    format!("group/{group}/relay/here/{process}")
}

/// True for the keys of [`listens`].
pub(crate) fn is_listener(group: &str, key: &str) -> bool {
    key.strip_prefix(&relay(group)).is_some_and(|rest| rest.starts_with("here/"))
}

/// The message with this number that a process said.
pub(crate) fn said(group: &str, process: &str, number: u64) -> String {
    format!("group/{group}/relay/said/{process}/{number:020}")
}

/// Process and number of a key of [`said`].
pub(crate) fn said_by<'a>(group: &str, key: &'a str) -> Option<(&'a str, u64)> {
    let (process, number) = key.strip_prefix(&relay(group))?.strip_prefix("said/")?.split_once('/')?;
    Some((process, number.parse().ok()?))
}

/// Which deliveries of a group are recorded.
pub(crate) fn trail_rule(group: &str) -> String {
    format!("group/{group}/trail-rule")
}

/// The lease on raising them.
pub(crate) fn alert_lease(group: &str) -> String {
    format!("alerts/{group}")
}

/// What gateways show to the group's replicas.
pub(crate) fn control(group: &str) -> String {
    format!("group/{group}/control")
}

/// Says that somebody starts and stops the group's replicas.
pub(crate) fn supervisor(group: &str) -> String {
    format!("group/{group}/supervisor")
}

/// The heads of a group's dead letters.
pub(crate) fn dead_letters(group: &str) -> String {
    format!("group/{group}/deadletter/")
}

/// The head of the dead letter in this place.
pub(crate) fn dead_letter(group: &str, place: u64) -> String {
    format!("group/{group}/deadletter/{place:04}")
}

/// The contents of a group's dead letters.
pub(crate) fn dead_letter_bodies(group: &str) -> String {
    format!("group/{group}/deadletter-body/")
}

/// The content of the dead letter in this place.
pub(crate) fn dead_letter_body(group: &str, place: u64) -> String {
    format!("group/{group}/deadletter-body/{place:04}")
}

/// How many dead letters a group ever had.
pub(crate) fn dead_letter_count(group: &str) -> String {
    format!("group/{group}/deadletter-count")
}

/// The dead letters that are to be run again.
pub(crate) fn replays(group: &str) -> String {
    format!("group/{group}/deadletter-replays")
}

/// The group's secrets, sealed.
pub(crate) fn secrets(group: &str) -> String {
    format!("group/{group}/secrets")
}

/// All pipelines.
pub(crate) const PIPELINES: &str = "pipeline/";

/// A pipeline.
pub(crate) fn pipeline(name: &str) -> String {
    format!("{PIPELINES}{name}")
}

/// The runs of all pipelines.
pub(crate) const PIPELINE_RUNS: &str = "pipeline-run/";

/// The runs of a pipeline.
pub(crate) fn pipeline_runs(name: &str) -> String {
    format!("{PIPELINE_RUNS}{name}/")
}

/// A run of a pipeline.
pub(crate) fn pipeline_run(name: &str, number: u64) -> String {
    format!("{PIPELINE_RUNS}{name}/{number:012}")
}

/// How many runs a pipeline ever had.
pub(crate) fn pipeline_count(name: &str) -> String {
    format!("pipeline-count/{name}")
}

/// For what runs of a pipeline were begun once.
pub(crate) fn pipeline_onces(name: &str) -> String {
    format!("pipeline-once/{name}/")
}

/// For what a run of a pipeline was begun once.
pub(crate) fn pipeline_once(name: &str, once: &str) -> String {
    format!("{}{once}", pipeline_onces(name))
}

/// The tokens of all pipelines' stages, sealed.
pub(crate) const PIPELINE_TOKENS: &str = "pipeline-tokens/";

/// The tokens of a pipeline's stages, sealed.
pub(crate) fn pipeline_tokens(name: &str) -> String {
    format!("{PIPELINE_TOKENS}{name}")
}

/// The lease on a pipeline's next step.
pub(crate) fn pipeline_lease(name: &str) -> String {
    format!("pipeline/{name}")
}

/// The tests that belong to a revision.
pub(crate) fn revision_tests(id: &str) -> String {
    format!("revision-tests/{id}")
}

/// All snapshots of a group.
pub(crate) fn snapshots(group: &str) -> String {
    format!("group/{group}/snapshot/")
}

/// A snapshot.
pub(crate) fn snapshot(group: &str, id: u64) -> String {
    format!("group/{group}/snapshot/{id:012}")
}

/// How many snapshots a group ever had.
pub(crate) fn snapshot_count(group: &str) -> String {
    format!("group/{group}/snapshot-count")
}

/// The lease on moving the group's replicas.
pub(crate) fn upgrade_lease(group: &str) -> String {
    format!("upgrade/{group}")
}

/// What belongs to the audit log of a group; without a name to that of what concerns none.
fn of_audit(group: &str, what: &str) -> String {
    if group.is_empty() { format!("audit-{what}") } else { format!("group/{group}/audit-{what}") }
}

/// The end of an audit log.
pub(crate) fn audit_head(group: &str) -> String {
    of_audit(group, "head")
}

/// All entries of an audit log's chain.
pub(crate) fn audit_all_sealed(group: &str) -> String {
    of_audit(group, "entry/")
}

/// An entry of an audit log's chain, by its place.
pub(crate) fn audit_sealed(group: &str, seq: u64) -> String {
    format!("{}{seq:015}", audit_all_sealed(group))
}

/// All checkpoints of an audit log.
pub(crate) fn audit_checkpoints(group: &str) -> String {
    of_audit(group, "checkpoint/")
}

/// The checkpoint of an audit log in a place.
pub(crate) fn audit_checkpoint(group: &str, seq: u64) -> String {
    format!("{}{seq:015}", audit_checkpoints(group))
}

/// All audit entries of a group as versions before the chain wrote them; without a name those about no group.
pub(crate) fn audits(group: &str) -> String {
    if group.is_empty() { SYSTEM_AUDITS.to_owned() } else { format!("group/{group}/audit/") }
}

/// An audit entry: sorted by time.
pub(crate) fn audit(group: &str, time_ms: u64, serial: &str) -> String {
    format!("{}{time_ms:015}-{serial}", audits(group))
}

/// All revisions.
pub(crate) const REVISIONS: &str = "revision/";

/// A revision.
pub(crate) fn revision(id: &str) -> String {
    format!("{REVISIONS}{id}")
}

/// The revisions that a group was given.
pub(crate) fn history(group: &str) -> String {
    format!("group/{group}/revision/")
}

/// Who gave a revision to the group, when and why.
pub(crate) fn given(group: &str, id: &str) -> String {
    format!("group/{group}/revision/{id}")
}

/// The lease on a role that one replica of a group has at a time.
pub(crate) fn role(group: &str, role: &str) -> String {
    format!("role/{group}/{role}")
}

/// A message that waits for its broker's acknowledgement.
pub(crate) fn outgoing(group: &str, id: &str) -> String {
    format!("group/{group}/outbox/{id}")
}

/// The subscriptions of an mqtt-broker node that have begun, where the broker does not know.
pub(crate) fn begun(group: &str, node: &str) -> String {
    format!("group/{group}/begun/{node}")
}

/// The dynamic subscriptions of a node.
pub(crate) fn dynamic(group: &str, node: &str) -> String {
    format!("group/{group}/dynamic/{node}")
}

/// By how much the group's steady clock is ahead of the store's.
pub(crate) fn clock(group: &str) -> String {
    format!("group/{group}/clock")
}

/// The ticks of a node that fired.
pub(crate) fn tick(group: &str, node: &str) -> String {
    format!("group/{group}/tick/{node}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_keeps_of_itself_is_told_from_what_lasts() {
        let own =
            [member("g", "r"), member("", "r"), gateway("g", "x"), consumers("g"), supervisor("g"), agent_beat("h")];
        for key in own {
            assert!(is_of_a_process(&key), "{key}");
        }
        let lasting =
            [desired("g"), secrets("g"), spec("g"), session("g", "c"), context_prefix("g") + "global/a", agent("h")];
        for key in lasting {
            assert!(!is_of_a_process(&key), "{key}");
        }
    }
}
