//! English, sorted by key. Keys are those under which Node-RED's own texts live, so that its specs can name them.

/// Key and text; `__name__` is replaced by the argument of that name.
pub(super) const ENGLISH: &[(&str, &str)] = &[
    ("function.error.externalModuleLoadError", "The function node's modules cannot be loaded"),
    ("function.error.externalModuleNotAllowed", "This function node uses modules, which the settings do not allow"),
    ("function.error.inputListener", "A function cannot listen to the node's 'input' event"),
    ("function.error.moduleNameError", "A module cannot be called __name__ in a function"),
    ("function.error.non-message-returned", "Function tried to send a message of type __type__"),
    ("mqtt.errors.invalid-action-action", "The action in msg.action is not one of this node's"),
    ("mqtt.errors.invalid-action-alreadyconnected", "Disconnect from the broker first, or set msg.broker.force"),
    ("mqtt.errors.invalid-action-badsubscription", "msg.topic is missing or names no subscription"),
    ("mqtt.errors.invalid-json-parse", "The payload is not valid JSON"),
    ("mqtt.errors.invalid-json-string", "The payload is not text, so it cannot be JSON"),
    ("mqtt.errors.invalid-topic", "The topic is not valid"),
    ("mqtt.errors.missing-config", "The node has no broker"),
    (
        "mqtt.errors.nonclean-missingclientid",
        "Without a ClientID there is no session to keep: the broker is asked for a clean one",
    ),
    ("mqtt.errors.not-defined", "The node has no topic"),
    ("mqtt.errors.subscribe-refused", "The broker refused the subscription to __topic__ (code __code__)"),
    ("mqtt.state.connect-failed", "Connection to broker __broker__ failed: __reason__"),
    ("mqtt.state.connected", "Connected to broker __broker__"),
    ("mqtt.state.disconnected", "Disconnected from broker __broker__: __reason__"),
    ("node-red:common.status.connected", "connected"),
    ("node-red:common.status.connecting", "connecting"),
    ("node-red:common.status.disconnected", "disconnected"),
    ("node-red:common.status.error", "error"),
    ("node-red:common.status.not-connected", "not connected"),
    ("node-red:common.status.ok", "OK"),
    (
        "nodes.flow.error-loop",
        "This message was caught ten times from the same node: it goes round in a loop, so it is dropped",
    ),
    ("nodes.flow.non-message-returned", "Node tried to send a message of type __type__"),
    ("nodes.flows.stopping-error", "Error while the node was stopped: __message__"),
];
