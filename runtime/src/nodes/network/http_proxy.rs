//! The http proxy config node.

use std::sync::Arc;

use crate::engine::{ConfigNode, NodeCx, NodeError, NodeType};
use crate::nodes::props;

use super::http_request::Proxy;

/// The row in the table of node types.
pub const TYPE: NodeType = NodeType::config("http proxy", build);

/// A proxy and what does not go through it.
pub struct HttpProxy {
    pub(super) proxy: Option<Proxy>,
    pub(super) exceptions: String,
}

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    let url = cx.config().str("url");
    let mut proxy = Proxy::parse(url);
    if proxy.is_none() && !url.is_empty() {
        cx.warn(format!("Bad proxy url: {url}"));
    }
    let (user, password) = (cx.credential("username"), cx.credential("password"));
    if let Some(proxy) = &mut proxy
        && (user.is_some() || password.is_some())
    {
        proxy.credentials = Some(format!("{}:{}", user.unwrap_or_default(), password.unwrap_or_default()));
    }
    let list = props::value(cx.config(), "noproxy");
    let exceptions = list.as_array().unwrap_or_default().iter().map(|one| one.to_text().to_string());
    Ok(Arc::new(HttpProxy { proxy, exceptions: exceptions.collect::<Vec<_>>().join(",") }))
}

impl ConfigNode for HttpProxy {}
