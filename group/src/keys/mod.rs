//! Where things are in the store.

mod accounts;
mod audit;
mod groups;
mod hosts;
mod members;
mod messages;
mod names;
mod pipelines;

pub(crate) use accounts::*;
pub(crate) use audit::*;
pub(crate) use groups::*;
pub(crate) use hosts::*;
pub(crate) use members::*;
pub(crate) use messages::*;
pub(crate) use names::check;
pub use names::{context_imported, context_prefix, is_of_a_process};
pub(crate) use pipelines::*;

pub(crate) use crate::record::{encode, read, read_large};
