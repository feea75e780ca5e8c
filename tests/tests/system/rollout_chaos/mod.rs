//! Rollouts while those who take part in them die or stall, at every stage: the group always ends on one revision.

mod cluster;
mod stages;
mod up;
