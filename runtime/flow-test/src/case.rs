//! What a tests file says, with names resolved to ids.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use flotilla_engine::context::ScopeKey;
use flotilla_value::{Object, Value};

use super::matcher::Matcher;

/// The tests of a flow.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Settings under Node-RED's own names, for example `functionGlobalContext`.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The tests, in the file's order.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Environment variables, over those of the process.
    pub env: HashMap<String, String>,
    /// Context values that are there before the flow starts.
    pub context: Vec<ContextValue>,
    /// Ids of nodes that run for real.
    pub live: Vec<String>,
    /// What isolated nodes answer, by id: the first message gets the first answer; the last one is for all that follow.
    pub answers: HashMap<String, Vec<Answer>>,
    /// The messages that go in, one after the other.
    pub inject: Vec<Inject>,
    /// What is to happen.
    pub expect: Vec<Expectation>,
    /// How long it may take.
    pub timeout: Duration,
    /// How much longer to look when everything has happened and nothing is under way.
    pub quiet: Duration,
}

impl Case {
    /// True when requests go in: then the `http in` and `http response` nodes run for real.
    pub fn has_requests(&self) -> bool {
        self.inject.iter().any(|inject| matches!(inject.what, Input::Request(_)))
    }
}

/// Whose context, as people call it.
#[derive(Clone, Debug, PartialEq)]
pub struct Whose {
    /// For messages to people: `global`, `flow "Plant"`, `node "count"`.
    pub label: String,
    /// Its key in the stores.
    pub scope: ScopeKey,
}

/// A value in context.
#[derive(Clone, Debug)]
pub struct ContextValue {
    /// Whose.
    pub whose: Whose,
    /// The store; the default one without.
    pub store: Option<String>,
    /// The key, a property path.
    pub key: String,
    /// What it is set to.
    pub value: Value,
}

/// What an isolated node does with a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It sends the message on with these properties set.
    Send {
        /// The output, from 0.
        output: usize,
        /// The properties.
        msg: Object,
    },
    /// It fails with this text.
    Error(String),
}

/// Something that goes in.
#[derive(Clone, Debug)]
pub struct Inject {
    /// What goes in.
    pub what: Input,
    /// How often it goes in.
    pub times: u32,
    /// How long to wait before.
    pub after: Duration,
}

/// What goes in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message.
    Message {
        /// The node's id.
        node: String,
        /// The message leaves the node by this output (from 0), as if the node had sent it; otherwise it arrives there.
        output: Option<usize>,
        /// The message.
        msg: Object,
    },
    /// A request to the flow's `http in` nodes.
    Request(Request),
}

/// A request to the flow's `http in` nodes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: http::Method,
    /// Path and query.
    pub url: http::Uri,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Something that is to happen, and where the file says so.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Its place in the test: `expect[0]`.
    pub place: String,
    /// What is to happen.
    pub what: Expect,
}

/// Something that is to happen.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Messages arrive at a node: the next ones after those of earlier expectations for the same node.
    Messages {
        /// The node's id.
        node: String,
        /// What they look like.
        msgs: Vec<Matcher>,
        /// They may arrive in any order.
        any_order: bool,
    },
    /// Exactly so many messages arrive at a node, all in all.
    Count {
        /// The node's id.
        node: String,
        /// How many.
        count: usize,
    },
    /// Messages arrive at these nodes one after the other.
    Order(Vec<String>),
    /// A node reports an error.
    Error {
        /// The node's id; any node without.
        node: Option<String>,
        /// The text, as `msg.error.message` has it.
        message: Matcher,
    },
    /// A node shows a status.
    Status {
        /// The node's id.
        node: String,
        /// The status: `{fill, shape, text}`.
        status: Matcher,
    },
    /// A request was answered.
    Response {
        /// Which request, in the order in which they went in, from 0.
        number: usize,
        /// The answer: `{status, headers, body}`.
        response: Matcher,
    },
    /// Context holds a value in the end.
    Context {
        /// Whose.
        whose: Whose,
        /// The store; the default one without.
        store: Option<String>,
        /// The key, a property path.
        key: String,
        /// The value.
        value: Matcher,
    },
}
