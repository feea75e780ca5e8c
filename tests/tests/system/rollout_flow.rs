//! The flow that the rollout tests deploy, in several versions.

use serde_json::{Value, json};

/// Publishes `mark:payload` for each message, and answers HTTP with `mark`; `body` is what the function does first.
pub fn flow(mark: &str, body: &str) -> Value {
    let func = format!("{body}\nmsg.payload = '{mark}:' + msg.payload;\nreturn msg;");
    let answer = format!("msg.payload = '{mark}';\nreturn msg;");
    json!([
        {"id": "t1", "type": "tab", "label": "Main", "disabled": false, "info": ""},
        {"id": "b1", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": "1883", "clientid": "",
         "autoConnect": true, "usetls": false, "protocolVersion": "5", "keepalive": "60", "cleansession": true},
        {"id": "i1", "type": "mqtt in", "z": "t1", "name": "", "topic": "in", "qos": "1", "ha": "least-in-flight",
         "datatype": "utf8",
         "broker": "b1", "nl": false, "rap": true, "rh": 0, "inputs": 0, "x": 100, "y": 100, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "mark", "func": func, "outputs": 1, "timeout": 0,
         "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [["o1"]]},
        {"id": "o1", "type": "mqtt out", "z": "t1", "name": "", "topic": "out", "qos": "1", "retain": "false",
         "broker": "b1", "x": 300, "y": 100, "wires": []},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/version", "method": "get", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 200, "wires": [["f2"]]},
        {"id": "f2", "type": "function", "z": "t1", "name": "answer", "func": answer, "outputs": 1, "timeout": 0,
         "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 200, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300,
         "y": 200, "wires": []}
    ])
}
