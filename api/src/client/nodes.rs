//! Nodes, and what debug nodes show.

use super::error::ClientError;
use super::events::Events;
use super::transport::Client;
use crate::debug::DebugMessages;
use crate::node::{GroupNodes, Inject, Injected};
use crate::path::{of_group, part};

impl Client {
    /// The nodes of a group's flow.
    pub async fn nodes(&self, group: &str) -> Result<GroupNodes, ClientError> {
        self.get(&of_group(group, "nodes")).await
    }

    /// Presses the button of an inject node, by its id or its name.
    pub async fn inject(&self, group: &str, node: &str, inject: &Inject) -> Result<Injected, ClientError> {
        self.post(&of_group(group, &format!("nodes/{}/inject", part(node))), inject).await
    }

    /// The newest messages of debug nodes; `node` is an id or a name, empty for all.
    pub async fn debug(&self, group: &str, node: &str) -> Result<DebugMessages, ClientError> {
        self.get(&of_group(group, &format!("debug?node={}", part(node)))).await
    }

    /// The same as they come: events `debug` with a message, `unanswered` with a replica.
    pub async fn follow_debug(&self, group: &str, node: &str) -> Result<Events, ClientError> {
        self.events(&of_group(group, &format!("debug?follow=true&node={}", part(node))), super::events::SILENCE).await
    }
}
