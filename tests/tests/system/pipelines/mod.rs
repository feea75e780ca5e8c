//! `flotilla pipeline`.

mod git;
mod hook;
mod remote;
mod stages;
mod there;
mod world;
