//! Placement, by examples and at random.

mod cluster;
mod oracle;
mod random;
mod speed;
mod stories;
mod upgrades;
