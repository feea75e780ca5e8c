//! The product's node types, with those that reach out isolated.

use std::sync::Arc;

use flotilla_engine::{Built, NodeCx, NodeError, NodeType, NodeTypes};
use flotilla_flows::NodeConfig;

use super::isolated;
use super::isolation::Isolation;
use super::product::PRODUCT;
use super::role::Role;

/// A type whose nodes are built here, and for live nodes as the product does.
struct Isolated(Arc<dyn NodeType>);

/// The product's types; those that reach out are isolated.
pub(crate) fn types() -> NodeTypes {
    PRODUCT.iter().cloned().map(isolate).collect()
}

fn isolate(real: Arc<dyn NodeType>) -> Arc<dyn NodeType> {
    // Unknown types are built by the type "unknown".
    let reaches_out = Role::of(real.name()).is_some() || real.name() == "unknown";
    if reaches_out { Arc::new(Isolated(real)) } else { real }
}

/// The isolation, unless the node is live.
fn isolation(cx: &NodeCx) -> Option<Arc<Isolation>> {
    let isolation = cx.shared().extensions().get_or_init(Isolation::default);
    (!isolation.is_live(cx.id())).then_some(isolation)
}

impl NodeType for Isolated {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn deny(&self) -> Option<&str> {
        self.0.deny()
    }

    fn is_denied(&self, config: &NodeConfig) -> bool {
        self.0.is_denied(config)
    }

    fn build(&self, cx: NodeCx) -> Result<Built, NodeError> {
        match (isolation(&cx), Role::of(cx.kind())) {
            (Some(_), Some(Role::Config)) => Ok(Built::Config(isolated::config())),
            (Some(isolation), Some(role)) => Ok(Built::Node(isolated::node(cx, role, isolation))),
            _ => self.0.build(cx),
        }
    }
}
