//! Rollouts in a world without a store.

mod random;
mod stories;
mod world;
