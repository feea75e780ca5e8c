//! Nodes in a running engine: a flow is deployed, messages go in, what comes out is looked at.

mod flow;
mod parser;
mod sequence;
mod storage;
