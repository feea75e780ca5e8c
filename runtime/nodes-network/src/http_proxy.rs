//! The http proxy config node.

use std::sync::Arc;

use parking_lot::Mutex;

use flotilla_engine::props;
use flotilla_engine::{ConfigNode, NodeCx, NodeError, Stateless};
use flotilla_flows::shown_url;

use super::proxy::Proxy;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::config("http proxy", build);

/// A proxy and what does not go through it.
pub struct HttpProxy {
    proxy: Option<Proxy>,
    credentials: Mutex<Option<String>>,
    pub(super) exceptions: String,
}

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    let url = cx.config().str("url");
    let proxy = Proxy::parse(url);
    if proxy.is_none() && !url.is_empty() {
        cx.report().warn(format!("Bad proxy url: {}", shown_url(url)));
    }
    let list = props::value(cx.config(), "noproxy");
    let exceptions = list.as_array().unwrap_or_default().iter().map(|one| one.to_text().to_string());
    let exceptions = exceptions.collect::<Vec<_>>().join(",");
    let node = HttpProxy { proxy, credentials: Mutex::default(), exceptions };
    node.set_credentials(&|name| cx.credential(name));
    Ok(Arc::new(node))
}

impl HttpProxy {
    /// The proxy, with the node's own user and password before those of its URL.
    pub(super) fn proxy(&self) -> Option<Proxy> {
        let mut proxy = self.proxy.clone()?;
        let own = self.credentials.lock().clone();
        if let Some(own) = own {
            proxy.credentials = Some(own);
        }
        Some(proxy)
    }
}

impl ConfigNode for HttpProxy {
    fn set_credentials(&self, credential: &dyn Fn(&str) -> Option<String>) {
        let (user, password) = (credential("username"), credential("password"));
        let any = user.is_some() || password.is_some();
        *self.credentials.lock() =
            any.then(|| format!("{}:{}", user.unwrap_or_default(), password.unwrap_or_default()));
    }
}
