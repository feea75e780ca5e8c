//! What a group says about single nodes, beside the flow document: the editor drops fields that it does not know.

mod apply;
mod settings;

pub use settings::{BadNodeSetting, Broadcast, NodeSettings, Retained, Share, TickMode};
