//! What flows do with `msg.req` and `msg.res` beside reading and sending.

use serde_json::{Value as Json, json};

use flotilla_engine::settings::Settings;

use super::{route, run};

fn function(id: &str, func: &str, to: &str) -> Json {
    json!({"id": id, "type": "function", "z": "t", "func": func, "wires": [[to]]})
}

/// Runs `GET /x/1` with an own header through functions in a row; answers what the last of them sent.
async fn through(functions: &[&str]) -> String {
    let mut flow = vec![json!({"id": "t", "type": "tab"}), route("get", "/x/:id", "f0")];
    for (at, func) in functions.iter().enumerate() {
        let next = if at + 1 == functions.len() { "out".to_owned() } else { format!("f{}", at + 1) };
        flow.push(function(&format!("f{at}"), func, &next));
    }
    flow.push(json!({"id": "out", "type": "http response", "z": "t"}));
    let running = run(Json::Array(flow), Settings::default()).await;
    let answer = running.ask("GET /x/1?q=2 HTTP/1.1\r\nX-User: u\r\nAccept: application/json").await;
    running.end().await;
    answer
}

async fn payload(functions: &[&str]) -> String {
    let answer = through(functions).await;
    answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()
}

/// The same code with slim and with whole views.
async fn both(functions: &[&str], expected: &str) {
    assert_eq!(payload(functions).await, expected, "{functions:?}");
    let whole: Vec<String> = functions.iter().map(|func| format!("{func}\n// Object")).collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    assert_eq!(payload(&whole).await, expected, "{functions:?} with whole views");
}

#[tokio::test]
async fn what_a_function_writes_onto_the_request_is_there_in_the_next_line() {
    both(&["msg.req.params.zz = 1; msg.payload = [msg.req.params.zz, msg.req.params.id]; return msg;"], r#"[1,"1"]"#)
        .await;
    both(&["msg.req.user = {id: 7}; msg.req.method = 'PUT'; msg.payload = [msg.req.user.id, msg.req.method]; return msg;"], r#"[7,"PUT"]"#)
        .await;
    both(&["msg.req.headers['x-user'] = 'me'; msg.payload = [msg.req.get('X-User')]; return msg;"], r#"["me"]"#).await;
    both(&["msg.req.params = {id: 9}; msg.req.params.b = 1; msg.payload = [msg.req.params, msg.req.param('b')]; return msg;"], r#"[{"id":9,"b":1},1]"#)
        .await;
}

#[tokio::test]
async fn what_a_function_writes_onto_the_request_is_there_in_the_next_nodes() {
    let read = "msg.payload = [msg.req.user, msg.req.params, msg.req.query, msg.req.headers['x-user'], msg.req.ip === 'no']; return msg;";
    let written = r#"[{"id":7,"roles":["a"]},{"id":"1","zz":1},{"q":"3","r":4},"me",true]"#;
    let write = "const r = msg.req; r.user = {id: 7, roles: []}; r.user.roles.push('a'); r.params.zz = 1; \
                 r.query.q = '3'; r.query.r = 4; r.headers['x-user'] = 'me'; r.ip = 'no';";
    both(&[&format!("{write} return msg;"), read], written).await;
    both(&[&format!("{write} return {{req: msg.req, res: msg.res}};"), "return msg;", read], written).await;
    both(&[&format!("await null; {write} return msg;"), read], written).await;
    both(&[&format!("node.send({{req: msg.req, res: msg.res}}); {write}"), read], written).await;
    both(
        &["msg.req.user = 1; return msg;", "msg.req.user++; return msg;", "msg.payload = [msg.req.user]; return msg;"],
        "[2]",
    )
    .await;
    let gone = "delete msg.req.user; delete msg.req.headers['x-user']; return msg;";
    both(
        &["msg.req.user = 1; return msg;", gone, "msg.payload = [Object.keys(msg.req).includes('user'), msg.req.user === undefined, 'x-user' in msg.req.headers]; return msg;"],
        "[false,true,false]",
    )
    .await;
}

#[tokio::test]
async fn what_would_keep_the_request_alive_for_ever_is_refused() {
    let answer = through(&["msg.req.self = {res: msg.res}; return msg;"]).await;
    assert!(answer.contains("may not hold msg.req or msg.res"), "{answer}");
}

#[tokio::test]
async fn a_change_node_writes_onto_the_request() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        route("get", "/x/:id", "c"),
        {"id": "c", "type": "change", "z": "t", "wires": [["f"]], "rules": [
            {"t": "set", "p": "req.user.id", "pt": "msg", "to": "7", "tot": "num"},
            {"t": "set", "p": "req.params.id", "pt": "msg", "to": "2", "tot": "str"}]},
        function("f", "msg.payload = [msg.req.user, msg.req.params]; return msg;", "out"),
        {"id": "out", "type": "http response", "z": "t"},
    ]);
    let running = run(flow, Settings::default()).await;
    let answer = running.ask("GET /x/1 HTTP/1.1").await;
    assert!(answer.ends_with(r#"[{"id":7},{"id":"2"}]"#), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn a_response_answers_with_what_was_set_on_it() {
    let answer = through(&["const r = msg.res._res; r.statusCode = 207; r.setHeader('X-A', '1'); r.flushHeaders(); \
        r.end([r.statusCode, r.hasHeader('x-a'), r.getHeaders()['x-a'], r.getHeaderNames(), r.writableEnded].join());"])
    .await;
    assert!(answer.starts_with("HTTP/1.1 207") && answer.contains("\r\n207,true,1,x-a,false\r\n"), "{answer}");
    let answer =
        through(&["msg.res._res.statusCode = 201; return msg;", "msg.res._res.send('x' + msg.res._res.statusCode)"])
            .await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.ends_with("x201"), "{answer}");
    let answer =
        through(&["msg.res._res.format({html() { this.no(); }, json(req, res) { res.json([req.params.id]); }})"]).await;
    assert!(answer.contains("application/json") && answer.ends_with(r#"["1"]"#), "{answer}");
    let answer = through(&["msg.res._res.format({'image/png'() {}})"]).await;
    assert!(answer.starts_with("HTTP/1.1 406"), "{answer}");
    assert_eq!(
        payload(&["msg.payload = [msg.req.socket.remoteAddress, msg.req.connection.remoteAddress]; return msg;"]).await,
        r#"["127.0.0.1","127.0.0.1"]"#
    );
}

#[tokio::test]
async fn listeners_hear_of_the_end() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        route("get", "/x", "f"),
        route("get", "/heard", "g"),
        function("f", "const hear = (what) => () => flow.set('heard', [...(flow.get('heard') || []), what]); \
            msg.res._res.on('finish', hear('finish')).once('close', hear('close')); msg.req.on('close', hear('req')); return msg;", "out"),
        function("g", "const wait = () => { const heard = flow.get('heard') || []; if (heard.length < 3) return setTimeout(wait, 5); \
            msg.payload = heard.sort(); node.send(msg); }; wait();", "out"),
        {"id": "out", "type": "http response", "z": "t"},
    ]);
    let running = run(flow, Settings::default()).await;
    assert!(running.ask("GET /x HTTP/1.1").await.starts_with("HTTP/1.1 200"));
    let answer = running.ask("GET /heard HTTP/1.1").await;
    assert!(answer.ends_with(r#"["close","finish","req"]"#), "{answer}");
    running.end().await;
}
