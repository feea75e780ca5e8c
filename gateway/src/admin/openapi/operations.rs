//! What the routes take and answer. A route that is not here is in the document with its path and right only.

use flotilla_api::access::{
    JoinToken, Login, MadeJoinToken, MadeToken, NewJoinToken, NewPassword, NewToken, NewUser, Roles, Token, User,
    Whoami,
};
use flotilla_api::alert::{AlertTest, Alerts};
use flotilla_api::audit::{AuditChain, AuditEntry, AuditFilter};
use flotilla_api::deadletter::{DeadLetter, DeadLetterContent, NewPayload, ReplayLetter};
use flotilla_api::debug::DebugMessages;
use flotilla_api::deploy::{Begun, Deploy, DryRun, Rollback};
use flotilla_api::env::{EnvVar, SecretChange, SecretsChanged};
use flotilla_api::group::{GroupRemoved, GroupSpec, GroupStatus, PauseChange, Scale};
use flotilla_api::key::{KeyFinished, KeyRotated, KeyState, RotateKey};
use flotilla_api::log::LogPage;
use flotilla_api::member::By;
use flotilla_api::node::{GroupNodes, Inject, Injected};
use flotilla_api::pipeline::{NewRun, PipelineSpec, Run, StageToken, Verdict};
use flotilla_api::placement::{
    Binary, BinaryChunk, Host, Joined, NewBinary, NewUpgrade, PlacementCheck, PlacementSummary, Proposed,
    ServerGroupJoin, ServerGroupSpec, ServerGroupStatus, Upgrade, UpgradeStatus,
};
use flotilla_api::replica::ReplicaRecord;
use flotilla_api::revision::{Copied, Copy, Given, RevisionContent, RevisionDiff};
use flotilla_api::rollout::{Rollout, RolloutStatus};
use flotilla_api::snapshot::{Export, Exported, NewSnapshot, Snapshot};
use flotilla_api::timer::GroupTimers;
use flotilla_api::trail::{TrailFilter, TrailRule, Trails};
use flotilla_api::transfer::{Transfer, TransferContent, TransferState, Transferred};
use serde_json::{Map, Value};

use super::super::context::Which;
use super::super::logs::Which as Lines;
use super::super::nodes::Which as Debugged;
use super::super::paging::Window;
use super::super::tokens::Whose;
use super::super::transfer::Which as Transferrals;
use super::operation::{Operation, change, get};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = accounts();
    all.extend(groups());
    all.extend(places());
    all.extend(revisions());
    all.extend(messages());
    all.extend(inside());
    all.extend(snapshots());
    all.extend(pipelines());
    all
}

fn accounts() -> Vec<Operation> {
    vec![
        change("POST", "/api/v1/login", "Log in: a token for a name and a password")
            .takes::<Login>()
            .answers::<MadeToken>(201),
        get::<Whoami>("/api/v1/whoami", "The user of the credential"),
        get::<Vec<User>>("/api/v1/users", "The users, by name").query::<Window>(),
        change("POST", "/api/v1/users", "Add a user").takes::<NewUser>().answers::<User>(201),
        get::<User>("/api/v1/users/{user}", "A user"),
        change("DELETE", "/api/v1/users/{user}", "Remove a user and revoke its tokens"),
        change("PUT", "/api/v1/users/{user}/roles", "Replace a user's roles").takes::<Roles>().answers::<User>(200),
        change("PUT", "/api/v1/users/{user}/password", "Set a password").takes::<NewPassword>(),
        get::<Vec<Token>>("/api/v1/tokens", "Your own tokens; for an admin all tokens").query::<Whose>(),
        change("POST", "/api/v1/tokens", "Make a token").takes::<NewToken>().answers::<MadeToken>(201),
        change("DELETE", "/api/v1/tokens/{id}", "Revoke a token"),
        get::<Vec<AuditEntry>>("/api/v1/audit", "The audit log of entries outside groups").query::<AuditFilter>(),
        get::<AuditChain>("/api/v1/audit/chain", "The same with its hashes and signatures"),
        get::<KeyState>(
            "/api/v1/key",
            "The key that encrypts credentials, secrets and dead letters, and which processes have it",
        ),
        change("POST", "/api/v1/key/rotate", "Re-encrypt everything with another key")
            .takes::<RotateKey>()
            .answers::<KeyRotated>(200),
        change("POST", "/api/v1/key/finish", "Retire the old key").answers::<KeyFinished>(200),
    ]
}

fn groups() -> Vec<Operation> {
    vec![
        get::<Vec<ReplicaRecord>>("/api/v1/status", "The replicas of the gateway's own group").query::<Window>(),
        get::<Vec<GroupStatus>>("/api/v1/groups", "The groups that the caller may view").query::<Window>(),
        change("POST", "/api/v1/groups", "Make a group").takes::<GroupSpec>().answers::<GroupStatus>(201),
        get::<GroupStatus>("/api/v1/groups/{group}", "A group"),
        change("PUT", "/api/v1/groups/{group}", "Replace a group's settings")
            .takes::<GroupSpec>()
            .answers::<GroupStatus>(200),
        change(
            "DELETE",
            "/api/v1/groups/{group}",
            "Remove a group without replicas; ends the MQTT sessions that they left",
        )
        .answers::<GroupRemoved>(200),
        get::<Vec<ReplicaRecord>>("/api/v1/groups/{group}/replicas", "The replicas of a group").query::<Window>(),
        get::<Vec<ReplicaRecord>>("/api/v1/replicas", "The replicas of all groups").query::<Window>(),
        change("PUT", "/api/v1/groups/{group}/members/{replica}", "Add a replica to a group").query::<By>(),
        change("DELETE", "/api/v1/groups/{group}/members/{replica}", "Remove a replica from a group").query::<By>(),
        change("POST", "/api/v1/groups/{group}/pause", "Stop the sources; brokers keep messages")
            .takes::<PauseChange>()
            .answers::<GroupStatus>(200),
        change("POST", "/api/v1/groups/{group}/resume", "Resume after a pause")
            .takes::<PauseChange>()
            .answers::<GroupStatus>(200),
        get::<Vec<JoinToken>>("/api/v1/groups/{group}/join-tokens", "Join tokens of a group").query::<Window>(),
        change("POST", "/api/v1/groups/{group}/join-tokens", "Make a join token: it wraps the group's key")
            .takes::<NewJoinToken>()
            .answers::<MadeJoinToken>(201),
        change("DELETE", "/api/v1/groups/{group}/join-tokens/{id}", "Revoke a join token"),
        change("PUT", "/api/v1/groups/{group}/scale", "Set the number of replicas")
            .takes::<Scale>()
            .answers::<GroupStatus>(200),
        get::<Vec<AuditEntry>>("/api/v1/groups/{group}/audit", "The audit log of a group").query::<AuditFilter>(),
        get::<AuditChain>("/api/v1/groups/{group}/audit/chain", "The same with its hashes and signatures"),
    ]
}

fn places() -> Vec<Operation> {
    vec![
        get::<PlacementSummary>("/api/v1/groups/{group}/placement", "Where a group's replicas are placed"),
        change("POST", "/api/v1/placement/check", "Where a group's replicas would be placed")
            .takes::<PlacementCheck>()
            .answers::<Proposed>(200),
        get::<Vec<ServerGroupStatus>>("/api/v1/server-groups", "The server groups").query::<Window>(),
        change("POST", "/api/v1/server-groups", "Make a server group")
            .takes::<ServerGroupSpec>()
            .answers::<ServerGroupStatus>(201),
        get::<ServerGroupStatus>("/api/v1/server-groups/{name}", "A server group with its members"),
        change("DELETE", "/api/v1/server-groups/{name}", "Delete a server group; its members keep running"),
        change("POST", "/api/v1/server-groups/{name}/groups", "Add an existing group to a server group")
            .takes::<ServerGroupJoin>()
            .answers::<Joined>(200),
        get::<Vec<Host>>("/api/v1/hosts", "The hosts with an agent").query::<Window>(),
        get::<Host>("/api/v1/hosts/{host}", "A host with its members"),
        change("DELETE", "/api/v1/hosts/{host}", "Forget a host whose agent has ended"),
        change("POST", "/api/v1/hosts/{host}/drain", "Move all replicas off a host").answers::<Host>(200),
        change("POST", "/api/v1/hosts/{host}/undrain", "Let a host have replicas again").answers::<Host>(200),
        get::<UpgradeStatus>("/api/v1/upgrade", "Which binary runs, and the last upgrade"),
        change("POST", "/api/v1/upgrade", "Begin a rolling upgrade of the binary")
            .takes::<NewUpgrade>()
            .answers::<Upgrade>(201),
        change("POST", "/api/v1/upgrade/cancel", "Halt the upgrade; the replicas that moved go back")
            .answers::<Upgrade>(200),
        change("POST", "/api/v1/binaries", "Announce a binary").takes::<NewBinary>().answers::<Binary>(200),
        change("PUT", "/api/v1/binaries/{sha256}/chunks/{index}", "Send a chunk of a binary").takes::<BinaryChunk>(),
        change("POST", "/api/v1/binaries/{sha256}/finish", "Sign a binary once it has all chunks")
            .answers::<Binary>(200),
    ]
}

fn revisions() -> Vec<Operation> {
    vec![
        change("POST", "/api/v1/groups/{group}/deploy", "Make a revision and begin the rollout to it")
            .takes::<Deploy>()
            .answers::<Begun>(202),
        change("POST", "/api/v1/groups/{group}/deploy/dry-run", "What a deploy would do")
            .takes::<Deploy>()
            .answers::<DryRun>(200),
        change("POST", "/api/v1/groups/{group}/rollback", "Begin a rollout to an earlier revision")
            .takes::<Rollback>()
            .answers::<Begun>(202),
        get::<RolloutStatus>("/api/v1/groups/{group}/rollout", "The group's desired state, and its rollout"),
        change("POST", "/api/v1/groups/{group}/rollout/{what}", "Pause, resume or cancel the rollout")
            .takes::<By>()
            .answers::<Rollout>(200),
        get::<Vec<Given>>("/api/v1/groups/{group}/revisions", "The revisions of the group").query::<Window>(),
        change("POST", "/api/v1/groups/{group}/revisions/copy", "Copy a revision of another group")
            .takes::<Copy>()
            .answers::<Copied>(201),
        get::<RevisionContent>("/api/v1/groups/{group}/revisions/{id}", "A revision, by its id or its first digits"),
        get::<RevisionDiff>("/api/v1/groups/{group}/revisions/{id}/diff/{to}", "What differs between two revisions"),
        get::<TransferContent>(
            "/api/v1/groups/{group}/revisions/{id}/transfer",
            "The part of a revision that another group may get: no env value and no credential",
        ),
        get::<TransferState>("/api/v1/groups/{group}/transfer", "How a transfer went").query::<Transferrals>(),
        change(
            "POST",
            "/api/v1/groups/{group}/transfer",
            "Transfer a revision from another installation, once for each id",
        )
        .takes::<Transfer>()
        .answers::<Transferred>(202)
        .before(200),
        change("POST", "/api/v1/groups/{group}/transfer/dry-run", "What a transfer would do")
            .takes::<Transfer>()
            .answers::<DryRun>(200),
        get::<Vec<EnvVar>>("/api/v1/groups/{group}/env", "Environment variables and names of secrets"),
        change("PUT", "/api/v1/groups/{group}/env/secrets", "Set and remove secrets")
            .takes::<SecretChange>()
            .answers::<SecretsChanged>(200),
    ]
}

/// What looks into the replicas. Streams of events are described by what one of them holds.
fn inside() -> Vec<Operation> {
    vec![
        get::<LogPage>("/api/v1/groups/{group}/logs", "Log lines of all replicas; follow=true: server-sent events")
            .query::<Lines>()
            .follows(),
        get::<GroupTimers>("/api/v1/groups/{group}/timers", "When inject nodes fire"),
        get::<Trails>("/api/v1/groups/{group}/trails", "Where recorded deliveries went").query::<TrailFilter>(),
        get::<TrailRule>("/api/v1/groups/{group}/trails/rule", "Which deliveries are recorded"),
        change("PUT", "/api/v1/groups/{group}/trails/rule", "Set which deliveries are recorded").takes::<TrailRule>(),
        change("DELETE", "/api/v1/groups/{group}/trails/rule", "Record only failures"),
        get::<Alerts>("/api/v1/groups/{group}/alerts", "Current alerts, and earlier ones"),
        change("POST", "/api/v1/groups/{group}/alerts/test", "Send a test to the webhook").answers::<AlertTest>(200),
        change("PUT", "/api/v1/groups/{group}/deadletters/{id}/payload", "Replace the payload of a dead letter")
            .takes::<NewPayload>(),
        get::<GroupNodes>("/api/v1/groups/{group}/nodes", "Nodes: counts, errors, statuses"),
        change("POST", "/api/v1/groups/{group}/nodes/{node}/inject", "Press the button of an inject node")
            .takes::<Inject>()
            .answers::<Injected>(200),
        get::<DebugMessages>(
            "/api/v1/groups/{group}/debug",
            "The output of debug nodes; follow=true: server-sent events",
        )
        .query::<Debugged>()
        .follows(),
    ]
}

fn messages() -> Vec<Operation> {
    vec![
        get::<Vec<DeadLetter>>("/api/v1/groups/{group}/deadletters", "Messages that failed for good").query::<Window>(),
        get::<DeadLetterContent>("/api/v1/groups/{group}/deadletters/{id}", "One with its content"),
        change("DELETE", "/api/v1/groups/{group}/deadletters/{id}", "Discard one"),
        change("POST", "/api/v1/groups/{group}/deadletters/{id}/replay", "Have a replica run one again")
            .takes::<ReplayLetter>()
            .with(202),
        get::<Map<String, Value>>("/api/v1/groups/{group}/context", "Shared context, by SCOPE/KEY").query::<Which>(),
        change("PUT", "/api/v1/groups/{group}/context", "Set and remove shared context").takes::<Map<String, Value>>(),
    ]
}

fn snapshots() -> Vec<Operation> {
    vec![
        get::<Vec<Snapshot>>("/api/v1/groups/{group}/snapshots", "Revisions with a name").query::<Window>(),
        change("POST", "/api/v1/groups/{group}/snapshots", "Give a revision a name")
            .takes::<NewSnapshot>()
            .answers::<Snapshot>(201)
            .before(200),
        get::<Snapshot>("/api/v1/groups/{group}/snapshots/{id}", "A snapshot, by its number or its name"),
        change("DELETE", "/api/v1/groups/{group}/snapshots/{id}", "Remove a snapshot; its revision stays"),
        change("POST", "/api/v1/groups/{group}/snapshots/{id}/restore", "Begin a rollout to a snapshot")
            .takes::<Rollback>()
            .answers::<Begun>(202),
        change("POST", "/api/v1/groups/{group}/snapshots/{id}/export", "A snapshot as files")
            .takes::<Export>()
            .answers::<Exported>(200),
    ]
}

fn pipelines() -> Vec<Operation> {
    vec![
        get::<Vec<PipelineSpec>>("/api/v1/pipelines", "The pipelines of groups that the caller may view")
            .query::<Window>(),
        change("POST", "/api/v1/pipelines", "Add a pipeline").takes::<PipelineSpec>().answers::<PipelineSpec>(201),
        get::<PipelineSpec>("/api/v1/pipelines/{name}", "A pipeline"),
        change("DELETE", "/api/v1/pipelines/{name}", "Remove a pipeline without an active run"),
        change(
            "PUT",
            "/api/v1/pipelines/{name}/stages/{stage}/token",
            "Set the token of a stage in another installation",
        )
        .takes::<StageToken>(),
        get::<Vec<Run>>("/api/v1/pipelines/{name}/runs", "The runs of a pipeline, oldest first").query::<Window>(),
        change("POST", "/api/v1/pipelines/{name}/runs", "Begin a run").takes::<NewRun>().answers::<Run>(201),
        get::<Run>("/api/v1/pipelines/{name}/runs/{number}", "A run"),
        change("POST", "/api/v1/pipelines/{name}/runs/{number}/{what}", "Approve, reject or cancel a run")
            .takes::<Verdict>()
            .answers::<Run>(200),
    ]
}
