//! `flotilla pub` and `flotilla sub` beside Mosquitto's own clients, on Mosquitto and on our broker.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use flotilla_tests::{Mosquitto, Up, UpOptions, eventually, example, flotilla, free_ports};

/// A client: its program and what comes before its flags.
#[derive(Clone, Copy)]
enum Tool {
    Ours,
    Mosquitto,
}

fn command(tool: Tool, what: &str, broker: SocketAddr, args: &[&str]) -> Command {
    let mut command = match tool {
        Tool::Ours => {
            let mut command = Command::new(flotilla().unwrap());
            command.arg(what);
            command
        }
        Tool::Mosquitto => Command::new(format!("mosquitto_{what}")),
    };
    command.args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string()]).args(args);
    command
}

fn run(tool: Tool, what: &str, broker: SocketAddr, args: &[&str], input: &str) -> Output {
    let mut child = command(tool, what, broker, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have ended already, with an error.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn good(tool: Tool, what: &str, broker: SocketAddr, args: &[&str], input: &str) -> String {
    let output = run(tool, what, broker, args, input);
    assert!(output.status.success(), "{what} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The subscription comes first and stays as a session, so that nothing depends on when who starts.
fn through(broker: SocketAddr, publisher: Tool, subscriber: Tool) {
    // With more than 20 in a kept session mosquitto_sub 2.0.11 ends with a protocol error on MQTT 5 at QoS 2, on its own
    // broker and with its own publisher.
    let count = if matches!(subscriber, Tool::Mosquitto) { 20 } else { 300 };
    let lines: String = (0..count).map(|number| format!("{{\"n\":{number}}}\n")).collect();
    let count = count.to_string();
    for version in ["5", "311"] {
        for qos in ["1", "2"] {
            let topic = format!("pubsub/{version}/{qos}");
            let id = format!("pubsub-{version}-{qos}");
            let mut session = vec!["-V", version, "-q", qos, "-i", &id, "-c", "-t", &topic];
            if version == "5" {
                session.extend(["-x", "60"]);
            }
            good(subscriber, "sub", broker, &[&session[..], &["-E"]].concat(), "");
            good(publisher, "pub", broker, &["-V", version, "-q", qos, "-t", &topic, "-l"], &lines);
            let got = good(subscriber, "sub", broker, &[&session[..], &["-C", &count, "-W", "60"]].concat(), "");
            assert_eq!(got, lines, "MQTT {version}, QoS {qos}");
        }
    }
}

fn as_the_others_do(broker: SocketAddr) {
    through(broker, Tool::Ours, Tool::Ours);
    through(broker, Tool::Mosquitto, Tool::Ours);
    through(broker, Tool::Ours, Tool::Mosquitto);
    // QoS 0 and the shapes of a payload, through retained messages.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), [0xff, 0x00, b'a']).unwrap();
    let file = file.path().display().to_string();
    for (flags, wanted) in [
        (vec!["-m", "-21.5"], &b"kept -21.5\n"[..]),
        (vec!["-f", &file], b"kept \xff\0a\n"),
        (vec!["-s"], b"kept whole\ninput\n"),
    ] {
        good(Tool::Ours, "pub", broker, &[&["-t", "kept", "-r"], &flags[..]].concat(), "whole\ninput");
        let got = run(Tool::Ours, "sub", broker, &["-t", "kept", "-C", "1", "-v", "-W", "30"], "");
        assert_eq!(got.stdout, wanted, "{flags:?}");
        let bare = run(Tool::Ours, "sub", broker, &["-t", "kept", "-C", "1", "-N", "-W", "30"], "");
        assert_eq!(bare.stdout, wanted[5..wanted.len() - 1], "{flags:?}");
    }
    good(Tool::Ours, "pub", broker, &["-t", "kept", "-r", "-n"], "");
    let nothing = run(Tool::Ours, "sub", broker, &["-t", "kept", "-W", "0.5"], "");
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(27), 0), "an empty payload takes it away");
    // Properties of MQTT 5, both ways.
    let said = ["-D", "publish", "user-property", "line", "north 7", "-D", "publish", "content-type", "text/plain"];
    let publish = [&["-V", "5", "-t", "said", "-r", "-m", "x"], &said[..]].concat();
    for (publisher, subscriber) in [(Tool::Ours, Tool::Mosquitto), (Tool::Mosquitto, Tool::Ours)] {
        good(publisher, "pub", broker, &publish, "");
        let format = ["-V", "5", "-t", "said", "-C", "1", "-W", "30", "-F", "%C|%P|%p|%t|%r"];
        assert_eq!(good(subscriber, "sub", broker, &format, ""), "text/plain|line:north 7|x|said|1\n");
    }
    // The address in one, and a topic that is left out.
    good(Tool::Ours, "pub", broker, &["-t", "other", "-r", "-m", "o"], "");
    let url = format!("mqtt://{broker}/#");
    let mut sub = Command::new(flotilla().unwrap());
    let got =
        sub.args(["sub", "-L", &url, "-T", "other", "--retained-only", "-C", "1", "-W", "30", "-v"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&got.stdout), "said x\n");
}

#[test]
fn on_mosquitto() {
    as_the_others_do(Mosquitto::start().unwrap().address);
}

#[test]
fn on_our_broker() {
    let up = Up::start(&example("plant.json"), UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    as_the_others_do(up.mqtt);
}

#[test]
fn what_is_wrong_is_said_and_ends_with_an_error() {
    let closed = Mosquitto::start_with(false).unwrap();
    let [nobody] = free_ports().unwrap();
    let open = Mosquitto::start().unwrap();
    for (what, broker, args, part) in [
        ("pub", nobody, vec!["-t", "a", "-m", "x"], "refused"),
        ("sub", nobody, vec!["-t", "a"], "refused"),
        ("pub", closed.address, vec!["-t", "a", "-m", "x"], "NotAuthorized"),
        ("sub", closed.address, vec!["-t", "a", "-u", "me", "-P", "wrong", "-V", "311"], "NotAuthorized"),
        ("pub", open.address, vec!["-t", "a/#", "-m", "x"], "not a topic that one can publish to"),
        ("sub", open.address, vec!["-t", "a#b"], "not a topic filter"),
        ("pub", open.address, vec!["-t", "a", "-m", "x", "-V", "6"], "not a protocol version"),
        ("pub", open.address, vec!["-t", "a", "-m", "x", "-D", "publish", "colour", "red"], "not known here"),
        ("pub", open.address, vec!["-t", "a"], "required"),
        ("pub", open.address, vec!["-t", "a", "-f", "/nothing/there"], "cannot read /nothing/there"),
    ] {
        let output = run(Tool::Ours, what, broker, &args, "");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(part), "{what} {args:?}: {error}");
    }
}

/// A certificate of its own for 127.0.0.1.
fn certificate(folder: &Path) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert.display().to_string(), key.display().to_string())
}

/// Ends the broker when it goes.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn over_tls() {
    let folder = tempfile::TempDir::new().unwrap();
    let (cert, key) = certificate(folder.path());
    let [address] = free_ports().unwrap();
    let port = address.port();
    let config = folder.path().join("mosquitto.conf");
    let text = format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\ncertfile {cert}\nkeyfile {key}\n");
    std::fs::write(&config, text).unwrap();
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
    let child = Command::new("mosquitto").env("PATH", path).arg("-c").arg(&config).stderr(Stdio::null()).spawn();
    let _broker = Ended(child.unwrap());
    let listens = || std::net::TcpStream::connect(address).ok();
    eventually("mosquitto to listen", Duration::from_secs(10), listens).unwrap();
    for version in ["5", "311"] {
        let send = ["-V", version, "--cafile", &cert, "-t", "secret", "-r", "-q", "1", "-m", version];
        good(Tool::Ours, "pub", address, &send, "");
        let read = ["-V", version, "--cafile", &cert, "-t", "secret", "-C", "1", "-W", "30"];
        assert_eq!(good(Tool::Ours, "sub", address, &read, ""), format!("{version}\n"));
        let any = ["-V", version, "--insecure", "-t", "secret", "-C", "1", "-W", "30"];
        assert_eq!(good(Tool::Ours, "sub", address, &any, ""), format!("{version}\n"));
    }
    let strangers = run(Tool::Ours, "pub", address, &["--tls", "-t", "secret", "-m", "x"], "");
    assert!(!strangers.status.success(), "the certificate is of nobody that is trusted");
}
