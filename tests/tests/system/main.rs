//! Whole-system tests, from outside.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

mod admin_doors;
mod backup;
mod bad_revisions;
mod broker;
mod chaos;
mod compose;
mod counter;
mod credentials;
mod dead_letters;
mod deploy_keeps;
mod deploy_types;
mod endings;
mod flow_folders;
mod flow_requests;
mod flow_tests;
mod front_door;
mod load;
mod logs;
mod look_inside;
mod main_job;
mod members;
mod memory;
mod node_red_admin;
mod outside;
mod own_settings;
mod parts;
mod pubsub;
mod replies;
mod restart;
mod review;
mod rollout;
mod rollout_chaos;
mod rollout_flow;
mod rollout_load;
mod sessions;
mod settings;
mod store_outage;
mod timers;
mod together;
mod topic_order;
mod unknown_types;
mod users;
