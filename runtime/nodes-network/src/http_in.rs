//! The http in node: a route of the replica's HTTP server.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_http::{Endpoint, Routes, node_root};
use flotilla_value::Str;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("http in", build);

struct HttpIn {
    cx: NodeCx,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let Some(root) = node_root(&cx.settings().node_red) else {
        let text = cx.text("httpin.errors.not-created", &[]);
        cx.report().warn(text.as_str());
        cx.report().broken(text);
        return Ok(Rc::new(HttpIn { cx }));
    };
    let url = props::text(config, "url", "");
    if url.is_empty() {
        let text = cx.text("httpin.errors.missing-path", &[]);
        cx.report().warn(text.as_str());
        cx.report().broken(text);
        return Ok(Rc::new(HttpIn { cx }));
    }
    let own_path = if url.starts_with('/') { url } else { format!("/{url}") };
    let Some(worker) = cx.worker() else {
        return Err(NodeError::new("the engine is stopping"));
    };
    let routes = cx.shared().extensions().get_or_init(Routes::default);
    let added = routes.add(Endpoint {
        node: cx.id().clone(),
        worker,
        method: props::text(config, "method", "get").to_uppercase(),
        path: Str::from(format!("{root}{own_path}")),
        own_path: Str::from(own_path),
        upload: config.bool("upload"),
        raw: config.bool("skipBodyParsing"),
    });
    added.map_err(NodeError::new)?;
    Ok(Rc::new(HttpIn { cx }))
}

impl HttpIn {
    fn forget(&self) {
        if let Some(routes) = self.cx.shared().extensions().get::<Routes>() {
            routes.remove(self.cx.id());
        }
    }
}

impl Node for HttpIn {
    /// The server hands each request over as a message.
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg);
    }

    fn close(&self, _removed: bool) -> futures::future::LocalBoxFuture<'static, ()> {
        self.forget();
        Box::pin(std::future::ready(()))
    }
}
