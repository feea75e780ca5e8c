//! The admin API over real connections: who may do what.

#![allow(clippy::unwrap_used, reason = "tests, which clippy does not see as such in these files")]

mod accounts;
mod flow_access;
mod group_remove;
mod joins;
mod nodered;
mod openapi;
mod page;
mod pages;
mod paging;
mod parameters;
mod place;
mod provider;
mod rights;
mod streams;
mod tls;
mod transfers;
mod versions;
