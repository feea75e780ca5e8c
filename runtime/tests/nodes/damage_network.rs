//! Whatever comes in a message or stands in a document: no network node panics, and every delivery ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use flotilla_engine::settings::Settings;
use flotilla_value::{Object, Value};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::damage::{PANICS, count_panics, junk};
use crate::flow::Flow;
use crate::parser::payload;

const DEADLINE: Duration = Duration::from_secs(30);

/// What nodes talk to: all of it answers at once.
struct Peers {
    echo: u16,
    http: u16,
    udp: UdpSocket,
    mqtt: u16,
    broker: Child,
    _folder: tempfile::TempDir,
}

/// A TCP server on a free port that does this with each connection.
fn server(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Says back what came first, and closes; also when nothing comes, as of an empty payload: a node may wait for an answer then for
/// as long as its connection is there.
fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    if let Ok(size) = stream.read(&mut bytes) {
        let _ = stream.write_all(&bytes[..size]);
    }
}

/// Reads a head and answers.
fn answer(mut stream: TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

impl Peers {
    fn start() -> Peers {
        let mqtt = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("mosquitto.conf");
        std::fs::write(&config, format!("listener {mqtt} 127.0.0.1\nallow_anonymous true\nuser root\n")).unwrap();
        let broker = Command::new("mosquitto")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need mosquitto: apt-get install mosquitto");
        let end = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", mqtt)).is_err() {
            assert!(Instant::now() < end, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        Peers { echo: server(echo), http: server(answer), udp, mqtt, broker, _folder: folder }
    }

    /// Nodes of every network type, with names that begin with what they are.
    fn document(&self) -> Vec<Json> {
        let (echo, http, mqtt) = (self.echo, self.http, self.mqtt);
        let udp = self.udp.local_addr().unwrap().port();
        let mut nodes = vec![
            json!({"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": mqtt.to_string(), "protocolVersion": "5",
                   "keepalive": "60", "cleansession": true, "birthTopic": "b", "birthPayload": "1", "willTopic": "w",
                   "willPayload": "2", "closeTopic": "c", "closePayload": "3", "sessionExpiry": ""}),
            json!({"id": "broker4", "type": "mqtt-broker", "broker": "127.0.0.1", "port": mqtt.to_string(), "protocolVersion": "4"}),
            json!({"id": "ws", "type": "websocket-listener", "path": "/ws", "wholemsg": "false"}),
            json!({"id": "ws whole", "type": "websocket-listener", "path": "/whole", "wholemsg": "true"}),
            json!({"id": "ws client", "type": "websocket-client", "path": "ws://127.0.0.1:1/x", "wholemsg": "false", "hb": "1"}),
        ];
        let placed = [
            json!({"id": "mqtt in", "type": "mqtt in", "topic": "in/#", "qos": "1", "datatype": "auto-detect", "broker": "broker"}),
            json!({"id": "mqtt in dynamic", "type": "mqtt in", "topic": "", "qos": "2", "inputs": 1, "broker": "broker"}),
            json!({"id": "mqtt out", "type": "mqtt out", "topic": "", "qos": "", "retain": "", "broker": "broker"}),
            json!({"id": "mqtt out 1", "type": "mqtt out", "topic": "a/b", "qos": "1", "retain": "false", "broker": "broker4"}),
            json!({"id": "http in", "type": "http in", "url": "/d", "method": "post"}),
            json!({"id": "http response", "type": "http response", "statusCode": "", "headers": {}}),
            json!({"id": "http request", "type": "http request", "method": "use", "ret": "txt", "url": "", "tls": ""}),
            json!({"id": "http request url", "type": "http request", "method": "GET", "ret": "obj", "paytoqs": "query",
                   "url": format!("http://127.0.0.1:{http}/{{{{topic}}}}"), "headers": [{"keyType": "other", "keyValue": "x-a",
                   "valueType": "msg", "valueValue": "topic"}]}),
            json!({"id": "tcp in", "type": "tcp in", "server": "server", "host": "", "port": "0", "datamode": "stream", "datatype": "utf8"}),
            json!({"id": "tcp in client", "type": "tcp in", "server": "client", "host": "127.0.0.1", "port": echo.to_string()}),
            json!({"id": "tcp out", "type": "tcp out", "beserver": "client", "host": "127.0.0.1", "port": echo.to_string(), "end": true}),
            json!({"id": "tcp out server", "type": "tcp out", "beserver": "server", "host": "", "port": "0"}),
            json!({"id": "tcp out reply", "type": "tcp out", "beserver": "reply", "base64": true}),
            json!({"id": "tcp request", "type": "tcp request", "server": "", "port": "", "out": "time", "splitc": "10", "ret": "buffer"}),
            json!({"id": "tcp request char", "type": "tcp request", "server": "127.0.0.1", "port": echo, "out": "char", "splitc": "\\n"}),
            json!({"id": "udp in", "type": "udp in", "port": "0", "ipv": "udp4", "datatype": "buffer"}),
            json!({"id": "udp out", "type": "udp out", "addr": "127.0.0.1", "port": udp.to_string(), "ipv": "udp4", "multicast": "false"}),
            json!({"id": "udp out msg", "type": "udp out", "addr": "", "port": "", "ipv": "udp4", "multicast": "false", "base64": true}),
            json!({"id": "websocket in", "type": "websocket in", "server": "ws", "client": ""}),
            json!({"id": "websocket out", "type": "websocket out", "server": "ws", "client": ""}),
            json!({"id": "websocket out whole", "type": "websocket out", "server": "ws whole", "client": ""}),
            json!({"id": "websocket out client", "type": "websocket out", "server": "", "client": "ws client"}),
        ];
        for mut node in placed {
            node["wires"] = json!([["out"]]);
            nodes.push(node);
        }
        nodes
    }

    /// What stands in a message where a node looks for something.
    fn fields(&self) -> impl Strategy<Value = Vec<(&'static str, Value)>> + use<> {
        let http = self.http;
        let urls = prop::sample::select(vec![
            format!("http://127.0.0.1:{http}/"),
            format!("127.0.0.1:{http}/a b?c=\u{e9}#d"),
            format!("http://user:pa ss@127.0.0.1:{http}"),
            "http://127.0.0.1:99999/".to_owned(),
            "http://[::1".to_owned(),
            "ftp://127.0.0.1/".to_owned(),
            "http://".to_owned(),
            String::new(),
            " ".to_owned(),
        ]);
        // Names of hosts are not looked up.
        let hosts = prop::sample::select(vec![
            Value::from("127.0.0.1"),
            Value::from("::1"),
            Value::from(""),
            Value::Null,
            Value::Undefined,
        ]);
        let ports = prop_oneof![numbers(), Just(Value::from(f64::from(self.echo))), Just(Value::from("x"))];
        let url = prop_oneof![3 => urls.prop_map(Value::from), 1 => numbers(), 1 => Just(Value::Null)];
        let any = || prop_oneof![2 => payload(), 1 => numbers()];
        let one = prop_oneof![
            3 => any().prop_map(|value| ("payload", value)),
            2 => any().prop_map(|value| ("topic", value)),
            4 => (prop::sample::select(vec![
                "qos", "retain", "responseTopic", "correlationData", "contentType", "userProperties", "messageExpiryInterval",
                "payloadFormatIndicator", "topicAlias", "subscriptionIdentifier", "dup", "broker", "delay", "rate", "parts",
            ]), any()),
            4 => (prop::sample::select(vec![
                "method", "headers", "cookies", "requestTimeout", "followRedirects", "maxRedirects", "rejectUnauthorized",
                "statusCode", "res", "req", "responseCookies", "insecureHTTPParser", "responseType", "retry",
            ]), any()),
            2 => (prop::sample::select(vec!["_session", "reset", "disconnect", "end", "type", "stream", "restart"]), any()),
            2 => url.prop_map(|value| ("url", value)),
            1 => hosts.clone().prop_map(|value| ("host", value)),
            1 => hosts.prop_map(|value| ("ip", value)),
            2 => ports.prop_map(|value| ("port", value)),
        ];
        prop::collection::vec(one, 1..8)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

fn numbers() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -0.0,
        -1.0,
        0.5,
        3.0,
        65_536.0,
        4_294_967_296.0,
        9_007_199_254_740_992.0,
        -1e308,
        1e308,
    ])
    .prop_map(Value::Number)
}

fn unharmed(flow: &Flow, document: &[Json]) {
    assert!(flow.deploy(&document_of(document)), "a sound document runs after any damaged one");
    assert_eq!((flow.panics(), PANICS.load(Ordering::SeqCst)), (Vec::new(), 0));
}

/// With the tab and the sink.
fn document_of(nodes: &[Json]) -> Json {
    let mut all = vec![
        json!({"id": "t", "type": "tab", "label": "tab"}),
        json!({"id": "out", "z": "t", "type": "sink", "wires": []}),
    ];
    for node in nodes {
        let mut node = node.clone();
        if node.get("wires").is_some() && node.is_object() {
            node["z"] = "t".into();
        }
        all.push(node);
    }
    all.into()
}

#[test]
fn messages_of_every_kind_end_at_every_network_node() {
    count_panics();
    let peers = Peers::start();
    let document = peers.document();
    let flow = Flow::documented(&document_of(&document), Settings { workers: 1, ..Settings::default() }).unwrap();
    let ids: Vec<&str> =
        document.iter().filter(|node| node.get("wires").is_some()).map(|node| node["id"].as_str().unwrap()).collect();
    let inputs: Vec<&str> = ids
        .iter()
        .copied()
        .filter(|id| !matches!(*id, "mqtt in" | "http in" | "tcp in" | "tcp in client" | "udp in" | "websocket in"))
        .collect();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(96));
    let checked = runner.run(&peers.fields(), |fields| {
        let msg: Object = fields.into_iter().collect();
        for id in &inputs {
            flow.send_value_to(id, Value::from(msg.clone()));
        }
        flow.settled();
        prop_assert_eq!((flow.panics(), PANICS.load(Ordering::SeqCst)), (Vec::new(), 0));
        Ok(())
    });
    assert!(checked.is_ok(), "{checked:?}");
    unharmed(&flow, &document);
}

/// One request with this body; everything that comes back.
fn post(address: SocketAddr, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = "POST /d HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).expect("the request is answered, and the connection closed");
    back
}

#[test]
fn responses_of_every_kind_are_answers() {
    count_panics();
    let code =
        "const special = {Infinity, NaN, '-Infinity': -Infinity, undefined: undefined, buffer: Buffer.from('b')};
        const made = (value) => typeof value === 'string' && value in special ? special[value] : value;
        for (const [key, value] of Object.entries(msg.payload)) { msg[key] = made(value); } return msg;";
    let nodes = json!([
        {"id": "i", "type": "http in", "url": "/d", "method": "post", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": code, "outputs": 1, "wires": [["r"]]},
        {"id": "r", "type": "http response", "statusCode": "", "headers": {}, "wires": []},
    ]);
    let flow = Flow::with(nodes, Settings { workers: 1, ..Settings::default() }).unwrap();
    let address = flow.http();
    let special = prop::sample::select(vec!["Infinity", "-Infinity", "NaN", "undefined", "buffer", "a\r\nb: c", "é"]);
    let status = prop::sample::select(vec![
        -1.0, 0.0, 99.0, 100.0, 101.0, 103.0, 199.0, 204.0, 205.0, 304.0, 599.0, 999.0, 1000.0, 1e9,
    ]);
    let value = prop_oneof![3 => junk(), 2 => special.prop_map(Json::from), 1 => status.prop_map(Json::from)];
    let names = prop::sample::select(vec![
        "statusCode",
        "headers",
        "cookies",
        "payload",
        "res",
        "req",
        "responseType",
        "topic",
    ]);
    let body = prop::collection::vec((names, value), 0..5);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(192));
    let checked = runner.run(&body, |fields| {
        let object: serde_json::Map<String, Json> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let back = post(address, &Json::Object(object).to_string());
        prop_assert!(back.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&back));
        prop_assert_eq!((flow.panics(), PANICS.load(Ordering::SeqCst)), (Vec::new(), 0));
        Ok(())
    });
    assert!(checked.is_ok(), "{checked:?}");
    flow.settled();
}

#[test]
fn damaged_documents_of_network_nodes_harm_nobody() {
    count_panics();
    let peers = Peers::start();
    let sound = peers.document();
    let flow = Flow::documented(&document_of(&sound), Settings { workers: 1, ..Settings::default() }).unwrap();
    let numbers = prop::sample::select(vec!["Infinity", "-1", "1e308", "65536", "4294967296", "0.5", "", " "])
        .prop_map(Json::from);
    let junk = prop_oneof![2 => junk(), 1 => numbers];
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), junk), 1..8);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let checked = runner.run(&damage, |damage| {
        let mut nodes = sound.clone();
        for (node, field, junk) in damage {
            let Some(fields) = node.get_mut(&mut nodes).as_object_mut() else { continue };
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = field.get(&names).clone();
            // Names of hosts are not looked up, and none but this machine is reached.
            if junk.is_string() && matches!(&*name, "broker" | "server" | "host" | "addr" | "path" | "url") {
                continue;
            }
            fields.insert(name, junk);
        }
        flow.deploy(&document_of(&nodes));
        let msg: Object = [("payload", "x"), ("topic", "t"), ("url", "http://127.0.0.1:1/")].into_iter().collect();
        let ids: Vec<String> = nodes.iter().filter_map(|node| node["id"].as_str()).map(str::to_owned).collect();
        flow.send_everywhere(&ids, &Value::from(msg));
        prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
        Ok(())
    });
    assert!(checked.is_ok(), "{checked:?}");
    unharmed(&flow, &sound);
}
