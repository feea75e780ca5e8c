//! One replica's engine: values, messages, deliveries, workers, script, expressions, context, nodes.

pub mod value;
