//! Log lines.

use super::error::ClientError;
use super::events::Events;
use super::transport::Client;
use crate::log::{LogFilter, LogPage};
use crate::path::{of_group, part};

impl Client {
    /// The newest lines of a group, or those behind a cursor; at most `limit`.
    pub async fn logs(
        &self,
        group: &str,
        filter: &LogFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LogPage, ClientError> {
        self.get(&of_group(group, &format!("logs?limit={limit}{}", query(filter, after)))).await
    }

    /// The same, and then what comes: events `log` with a line, `unanswered` and `answers` with a replica.
    pub async fn follow_logs(
        &self,
        group: &str,
        filter: &LogFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Events, ClientError> {
        let path = format!("logs?follow=true&limit={limit}{}", query(filter, after));
        self.events(&of_group(group, &path), super::events::SILENCE).await
    }
}

fn query(filter: &LogFilter, after: Option<&str>) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let pairs = [
        ("replica", filter.replica.clone()),
        ("node", filter.node.clone()),
        ("tab", filter.tab.clone()),
        ("level", filter.level.map(|level| level.name().to_owned()).unwrap_or_default()),
        ("since", number(filter.since)),
        ("until", number(filter.until)),
        ("grep", filter.grep.clone()),
    ];
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let after = after.map(|after| format!("&after={}", part(after))).unwrap_or_default();
    given.map(|(name, value)| format!("&{name}={}", part(value))).collect::<String>() + &after
}
