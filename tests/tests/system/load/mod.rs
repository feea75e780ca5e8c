//! The load generator, on flows that do wrong on purpose, and as people run it.

mod command;
mod convicts;
