//! User directories that a real Node-RED made and ran, run by `flotilla up DIR`: each request has the same answer.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{NodeRed, Up, UpOptions, eventually, flotilla, request};
use serde_json::{Value, json};

/// bcrypt of "test".
const HASH: &str = "$2b$08$.jttE7jg9F.2KR0HvI4oaeyHUOggIekZyexxrU2xG8IQX9XylmDvK";

/// `http in`, function, `http response` on a tab.
fn endpoint(tab: &str, id: &str, method: &str, url: &str, func: &str) -> Vec<Value> {
    let (input, function, output) = (format!("{id}i"), format!("{id}f"), format!("{id}o"));
    vec![
        json!({"id": input, "type": "http in", "z": tab, "name": "", "url": url, "method": method, "upload": false,
               "swaggerDoc": "", "x": 100, "y": 100, "wires": [[function]]}),
        json!({"id": function, "type": "function", "z": tab, "name": "", "func": func, "outputs": 1, "timeout": 0,
               "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [[output]]}),
        json!({"id": output, "type": "http response", "z": tab, "name": "", "statusCode": "", "headers": {}, "x": 300,
               "y": 100, "wires": []}),
    ]
}

fn tab(id: &str) -> Value {
    json!({"id": id, "type": "tab", "label": id, "disabled": false, "info": "", "env": []})
}

fn write(dir: &Path, name: &str, text: &str) {
    let file = dir.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Method, path, headers, body.
type Asked<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Status, content type and body of each request.
fn answers(at: SocketAddr, asked: &[Asked<'_>]) -> Vec<String> {
    let one = |(method, path, headers, body): &Asked<'_>| {
        let answer = request(at, method, path, headers, body).unwrap();
        let kind = answer.head.lines().find(|line| line.to_lowercase().starts_with("content-type")).unwrap_or_default();
        format!("{method} {path}: {} {} {}", answer.status, kind.to_lowercase(), answer.body)
    };
    asked.iter().map(one).collect()
}

fn up(dir: &Path) -> Up {
    Up::start(dir, UpOptions { replicas: 2, args: Vec::new() }).unwrap()
}

#[test]
fn a_directory_with_settings_and_passwords() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = format!(
        "const path = require('path');\nmodule.exports = {{\n  flowFile: 'plant.json', httpNodeRoot: '/api', apiMaxLength: '2kb',\n\
         \u{20} httpNodeAuth: {{user: 'user', pass: '{HASH}'}}, httpStaticRoot: '/files',\n\
         \u{20} httpStatic: [{{path: path.join(__dirname, 'public'), root: '/p/'}}, path.join(__dirname, 'more')],\n\
         \u{20} functionGlobalContext: {{rate: 5, where: {{site: 'north'}}}}, functionExternalModules: true,\n\
         \u{20} editorTheme: {{page: {{title: process.env.HOME}}}},\n}};\n"
    );
    write(folder.path(), "settings.js", &settings);
    write(folder.path(), "public/a.txt", "a file");
    write(folder.path(), "public/page/index.html", "<p>page</p>");
    write(folder.path(), "public/.hidden", "no");
    write(folder.path(), "more/b.json", "{\"b\": 1}");
    let mut flow = vec![tab("t1")];
    flow.extend(endpoint(
        "t1",
        "n",
        "get",
        "/site",
        "msg.payload = {rate: global.get('rate'), at: global.get('where').site}; return msg;",
    ));
    flow.extend(endpoint("t1", "p", "post", "/echo", "msg.payload = String(msg.payload.n * 2); return msg;"));
    write(folder.path(), "plant.json", &json!(flow).to_string());

    let (auth, large) = ("Authorization: Basic dXNlcjp0ZXN0\r\n", format!("{{\"n\": \"{}\"}}", "x".repeat(3000)));
    let posted = format!("{auth}Content-Type: application/json\r\n");
    let asked = [
        ("GET", "/api/site", auth, ""),
        ("GET", "/api/site", "", ""),
        ("GET", "/API/Site", "", ""),
        ("GET", "/API/Site", auth, ""),
        ("POST", "/Api/echo/", "", ""),
        ("GET", "/site", auth, ""),
        ("POST", "/api/echo", &posted, "{\"n\": 21}"),
        ("POST", "/api/echo", &posted, large.as_str()),
        ("GET", "/files/p/a.txt", "", ""),
        ("GET", "/files/p/page/", "", ""),
        ("GET", "/files/p/.hidden", "", ""),
        ("GET", "/files/p/none", "", ""),
        ("GET", "/files/b.json", "", ""),
        ("GET", "/files/p/../../settings.js", "", ""),
    ];
    let theirs = NodeRed::start(folder.path()).unwrap();
    let starts = || (request(theirs.http, "GET", "/api/site", auth, "").ok()?.status == 200).then_some(());
    eventually("the nodes of Node-RED", Duration::from_secs(20), starts).unwrap();
    // Express says in HTML what is not there; that page is not compared.
    let wanted = answers(theirs.http, &asked);
    theirs.stop().unwrap();
    let up = up(folder.path());
    let given = answers(up.http, &asked);
    for (ours, theirs) in given.iter().zip(&wanted) {
        if theirs.contains(": 404") || theirs.contains(": 413") {
            let status = |text: &str| text.split_whitespace().nth(2).unwrap_or_default().to_owned();
            assert_eq!(status(ours), status(theirs), "{ours}\n{theirs}");
        } else {
            assert_eq!(ours, theirs);
        }
    }
    assert!(up.output().contains("the setting editorTheme has no effect"), "{}", up.output());
}

/// Status and body by `curl`, which trusts this certificate.
fn by_curl(at: SocketAddr, path: &str, authority: &Path) -> String {
    let port = at.port();
    let asked = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--write-out",
            " %{http_code} %{content_type}",
            "--cacert",
        ])
        .arg(authority)
        .args(["--resolve", &format!("localhost:{port}:{}", at.ip()), &format!("https://localhost:{port}{path}")])
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

#[test]
fn a_directory_with_a_certificate() {
    let folder = tempfile::TempDir::new().unwrap();
    let dir = folder.path();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    write(dir, "tls/cert.pem", &made.cert.pem());
    write(dir, "tls/key.pem", &made.signing_key.serialize_pem());
    write(dir, "public/a.txt", "a file");
    let settings = "const fs = require('fs');\nmodule.exports = {\n  flowFile: 'flows.json', requireHttps: true, uiHost: '127.0.0.1',\n\
         \u{20} https: {key: fs.readFileSync(__dirname + '/tls/key.pem'), cert: fs.readFileSync(__dirname + '/tls/cert.pem', 'utf8')},\n\
         \u{20} httpStatic: require('path').join(__dirname, 'public'),\n};\n";
    write(dir, "settings.js", settings);
    let mut flow = vec![tab("t1")];
    let secure = "msg.payload = {secure: msg.req.secure, by: msg.req.protocol}; return msg;";
    flow.extend(endpoint("t1", "s", "get", "/how", secure));
    write(dir, "flows.json", &json!(flow).to_string());
    let authority = dir.join("tls/cert.pem");
    let answers = |at: SocketAddr| ["/how", "/a.txt"].map(|path| by_curl(at, path, &authority));

    let theirs = NodeRed::start_tls(dir).unwrap();
    let starts = || by_curl(theirs.http, "/how", &authority).contains(" 200 ").then_some(());
    eventually("the nodes of Node-RED", Duration::from_secs(20), starts).unwrap();
    let wanted = answers(theirs.http);
    theirs.stop().unwrap();
    let up = up(dir);
    assert_eq!(answers(up.http), wanted);
    assert!(up.output().contains(&format!("curl -i -k https://{}/how", up.http)), "{}", up.output());
    assert!(request(up.http, "GET", "/how", "", "").is_err(), "nothing is answered in the clear");
}

#[test]
fn a_directory_with_credentials_and_context_in_files() {
    let folder = tempfile::TempDir::new().unwrap();
    write(
        folder.path(),
        "settings.js",
        "module.exports = {flowFile: 'flows.json', contextStorage: {default: {module: 'localfilesystem'}}};",
    );
    let mut flow = vec![tab("t1")];
    flow.extend(endpoint(
        "t1",
        "w",
        "get",
        "/who",
        "msg.payload = msg.req.headers.authorization || 'nobody'; return msg;",
    ));
    flow.extend(endpoint(
        "t1",
        "c",
        "get",
        "/count",
        "const n = [flow, global, context].map((c) => { const n = (c.get('n') || 0) + 1; c.set('n', n); return n; });\n\
         msg.payload = n; return msg;",
    ));
    // Asks the other endpoint with a password that is in the credentials.
    let mut asks = endpoint("t1", "a", "get", "/asks", "msg.url = `http://${msg.req.headers.host}/who`; return msg;");
    asks[1]["wires"] = json!([["ask"]]);
    flow.extend(asks);
    flow.push(json!({"id": "ask", "type": "http request", "z": "t1", "name": "", "method": "GET", "ret": "txt", "paytoqs": "ignore",
                     "url": "", "tls": "", "persist": false, "proxy": "", "insecureHTTPParser": false, "authType": "basic",
                     "senderr": false, "headers": [], "x": 250, "y": 100, "wires": [["ao"]],
                     "credentials": {"user": "plant", "password": "pa$$word"}}));
    write(folder.path(), "flows.json", "[]");

    let theirs = NodeRed::start(folder.path()).unwrap();
    // It answers 204 before its nodes have started.
    let kind = "Content-Type: application/json\r\n";
    let deployed = request(theirs.http, "POST", "/flows", kind, &json!(flow).to_string()).unwrap();
    assert_eq!(deployed.status, 204);
    let starts = || (request(theirs.http, "GET", "/who", "", "").ok()?.status == 200).then_some(());
    eventually("the nodes of Node-RED", Duration::from_secs(20), starts).unwrap();
    let asked = [("GET", "/asks", "", ""), ("GET", "/who", "", "")];
    let wanted = answers(theirs.http, &asked);
    assert!(wanted[0].ends_with("Basic cGxhbnQ6cGEkJHdvcmQ="), "{wanted:?}");
    let count = |at: SocketAddr| request(at, "GET", "/count", "", "").unwrap().body;
    assert_eq!((count(theirs.http), count(theirs.http)), ("[1,1,1]".to_owned(), "[2,2,2]".to_owned()));
    theirs.stop().unwrap();

    let sealed = std::fs::read_to_string(folder.path().join("flows_cred.json")).unwrap();
    assert!(sealed.contains("\"$\"") && !sealed.contains("plant"), "{sealed}");
    let mut up = up(folder.path());
    assert_eq!(answers(up.http, &asked), wanted);
    let mut counts: Vec<String> = (0..3).map(|_| count(up.http)).collect();
    assert!(up.output().contains("3 keys of file context"), "{}", up.output());
    up.stop().unwrap();
    up.start_again(2).unwrap();
    counts.push(count(up.http));
    assert_eq!(counts, ["[3,3,3]", "[4,4,4]", "[5,5,5]", "[6,6,6]"], "it goes on, over a restart too");
}

#[test]
fn what_a_directory_has_that_does_not_run_here_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    let dir = folder.path();
    let run = |more: &[&str]| {
        let data = dir.join("data");
        let mut command = Command::new(flotilla().unwrap());
        command.arg("up").arg(dir).arg("--data").arg(data).args(more);
        let ended = command.output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    assert!(matches!(run(&[]), (Some(2), text) if text.contains("no flow document (flows.json)")));
    let flow =
        json!([tab("t1"), {"id": "x1", "type": "x-in", "z": "t1", "name": "meter", "x": 1, "y": 1, "wires": [[]]}]);
    write(dir, "flows.json", &flow.to_string());
    write(dir, "package.json", "{\"dependencies\": {\"node-red-contrib-x\": \"~1.0.0\"}}");
    write(dir, "node_modules/node-red-contrib-x/package.json", "{\"node-red\": {\"nodes\": {\"x\": \"x.js\"}}}");
    write(
        dir,
        "node_modules/node-red-contrib-x/x.js",
        "module.exports = (RED) => RED.nodes.registerType('x-in', Object);",
    );
    let (code, text) = run(&[]);
    assert!(code == Some(2) && text.contains("x-in") && text.contains("meter"), "{text}");
    write(dir, "settings.js", "module.exports = {httpNodeMiddleware: (req, res, next) => next(), requireHttps: true};");
    let (code, text) = run(&[]);
    assert!(code == Some(2) && text.contains("httpNodeMiddleware") && text.contains("--without-setting"), "{text}");
    write(dir, "settings.js", "module.exports = {uiPort: missing};");
    let (code, text) = run(&[]);
    assert!(code == Some(2) && text.contains("settings.js") && text.contains("missing is not defined"), "{text}");
    let up = {
        write(dir, "settings.js", "module.exports = {};");
        Up::start(dir, UpOptions { replicas: 1, args: vec!["--allow-unknown".to_owned()] }).unwrap()
    };
    let wanted = "the npm nodes of node-red-contrib-x do not run here, and 1 node of the flow needs them";
    assert!(up.output().contains(wanted), "{}", up.output());
}
