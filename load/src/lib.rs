//! Load generator: numbered messages and requests, and a collector that knows what was lost, repeated or out of order.
//!
//! A [`scenario::Scenario`] is read or built, checked, and run by [`run::run`], which gives [`report::Results`].

pub mod faults;
mod http;
pub mod measure;
mod mqtt;
pub mod report;
pub mod rumqtt;
pub mod run;
pub mod scenario;
mod schedule;
mod shared;
mod span;
mod template;
pub mod tracker;
