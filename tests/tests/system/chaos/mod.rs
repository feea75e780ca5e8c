//! Chaos with a seed: a group under load, and a schedule of faults that the seed decides. Every message is numbered; none
//! may be lost, and the group must work afterwards.
//!
//! The short set runs with all tests. The long one (`tests/run --long`) is ignored otherwise. `FLOTILLA` names another
//! binary to be tried; `CHAOS_SEEDS=7,8` other seeds; the long tests print a line for each seed.

mod alarms;
mod case;
mod cuts;
mod disk;
mod flows;
mod long;
mod outages;
mod short;
mod verdict;
