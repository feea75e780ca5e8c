//! One replica's engine: values, messages, deliveries, workers, script, expressions, context, nodes.

pub mod catalog;
pub mod context;
pub mod engine;
pub mod expression;
pub mod flowtest;
pub mod http;
pub mod message;
pub mod nodes;
pub mod observe;
pub mod script;
pub mod settings;
pub mod testhost;
pub mod value;
