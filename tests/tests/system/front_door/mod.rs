//! The front door: what it refuses, how long it waits, what it passes on.

mod bodies;
mod headers;
mod kit;
mod raw_cases;
mod raw_table;
mod stopped;
