//! Harness for whole-system tests: starts `flotilla` as a user would, watches it from outside, kills it, counts.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]

mod admin;
mod browser;
mod cluster;
mod collector;
mod docker;
mod hosts;
mod http;
mod load;
mod mosquitto;
pub mod mqtt;
mod network;
mod node_red;
mod npm;
mod part;
mod ports;
mod postgres;
mod process;
mod redis;
mod sshd;
mod store_cluster;
mod store_server;
mod up;
mod wait;

pub use admin::{Admin, write_flow};
pub use browser::Browser;
pub use cluster::{Cluster, ClusterOptions, Group};
pub use collector::Collector;
pub use docker::{Compose, Docker, deploy as deploy_file};
pub use flotilla_api::replica::{ReplicaRecord, ReplicaState};
pub use hosts::Hosts;
pub use http::{Answer, get, request};
pub use load::{Load, run_scenario, run_scenario_with};
pub use mosquitto::Mosquitto;
pub use network::Network;
pub use node_red::NodeRed;
pub use npm::npm;
pub use part::{Part, wait_for};
pub use ports::free_ports;
pub use process::{Killed, example, flotilla, is_on_path, kill, pause, peak_memory, resume, terminate};
pub use redis::Redis;
pub use sshd::Sshd;
pub use store_cluster::StoreCluster;
pub use store_server::{StoreKind, StoreServer};
pub use up::{Up, UpOptions};
pub use wait::eventually;
