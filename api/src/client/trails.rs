//! Trails of a group.

use super::error::ClientError;
use super::transport::Client;
use crate::path::{of_group, part};
use crate::trail::{TrailFilter, TrailRule, Trails};

impl Client {
    /// The trails that are wanted.
    pub async fn trails(&self, group: &str, filter: &TrailFilter) -> Result<Trails, ClientError> {
        self.get(&of_group(group, &format!("trails?{}", filter.query()))).await
    }

    /// Puts a rule in force.
    pub async fn set_trail_rule(&self, group: &str, rule: &TrailRule) -> Result<(), ClientError> {
        self.put(&of_group(group, "trails/rule"), rule).await
    }

    /// Takes the rule out of force.
    pub async fn remove_trail_rule(&self, group: &str) -> Result<(), ClientError> {
        self.delete(&of_group(group, "trails/rule")).await
    }
}

impl TrailFilter {
    /// It as the query of a URL.
    pub fn query(&self) -> String {
        let TrailFilter { find, message, topic, value, node, failed, most } = self;
        let texts = [("find", find), ("message", message), ("topic", topic), ("value", value), ("node", node)];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut query: String = texts.map(|(name, text)| format!("{name}={}&", part(text))).collect();
        query += &format!("failed={failed}&most={most}");
        query
    }
}
