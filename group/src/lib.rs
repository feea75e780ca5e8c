//! What makes replicas a group: membership, revisions, rollout, schedule, logs, audit.
