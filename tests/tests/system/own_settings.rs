//! What configures Flotilla itself: numbers that make no sense are refused at once, and flows do not see it.

use std::process::Command;

use flotilla_tests::{Up, UpOptions, example, flotilla, get};

#[test]
fn numbers_that_make_no_sense_are_refused_by_the_parent() {
    let dir = tempfile::TempDir::new().unwrap();
    for (flag, value) in [
        ("--lease", "0"),
        ("--lease", "nan"),
        ("--drain-timeout", "-1"),
        ("--workers", "0"),
        ("--workers", "1000000"),
        ("--max-in-flight", "0"),
        ("--max-retries", "4000000000"),
        ("--replicas", "0"),
    ] {
        let argument = format!("{flag}={value}");
        let ended = Command::new(flotilla().unwrap())
            .args(["up", &argument, "--mqtt=127.0.0.1:0", "--http=127.0.0.1:0", "--admin=127.0.0.1:0"])
            .arg(example("plant.json"))
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{argument}: {text}");
        assert!(text.contains(flag) && text.contains(value), "{argument}: {text}");
    }
}

#[test]
fn a_flow_does_not_see_the_groups_key() {
    let dir = tempfile::TempDir::new().unwrap();
    let (flows, tests) = (dir.path().join("flows.json"), dir.path().join("tests.json"));
    let flow = r#"[{"id":"t","type":"tab"},
        {"id":"f","type":"function","name":"f","z":"t","x":1,"y":1,"wires":[["c"]],"outputs":1,
         "func":"msg.payload = [env.get('FLOTILLA_GROUP_KEY'), env.get('PLANT')].join(); return msg"},
        {"id":"c","type":"change","name":"c","z":"t","x":1,"y":1,"wires":[["d"]],
         "rules":[{"t":"set","p":"key","pt":"msg","to":"FLOTILLA_GROUP_KEY","tot":"env"},
                  {"t":"set","p":"name","pt":"msg","to":"${FLOTILLA_GROUP_KEY}","tot":"str"}]},
        {"id":"d","type":"debug","name":"d","z":"t","x":1,"y":1,"wires":[]}]"#;
    std::fs::write(&flows, flow).unwrap();
    let test = r#"{"tests":[{"name":"n","inject":[{"at":"f","msg":{"payload":1}}],
        "expect":[{"at":"d","count":1,"msg":{"payload":",north","key":{"$not":"geheim-7"},"name":{"$not":"geheim-7"}}}]}]}"#;
    std::fs::write(&tests, test).unwrap();
    let ended = Command::new(flotilla().unwrap())
        .arg("test")
        .args([&flows, &tests])
        .env("FLOTILLA_GROUP_KEY", "geheim-7")
        .env("PLANT", "north")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{text}");
    assert!(!text.contains("geheim-7"), "{text}");
}

/// `flotilla up` hands the key to its replicas in their environment.
#[test]
fn a_program_that_a_flow_runs_does_not_see_the_groups_key() {
    let dir = tempfile::TempDir::new().unwrap();
    let flows = dir.path().join("flows.json");
    let flow = r#"[{"id":"t","type":"tab"},
        {"id":"h","type":"http in","z":"t","url":"/env","method":"get","x":1,"y":1,"wires":[["e"]]},
        {"id":"e","type":"exec","z":"t","command":"env","addpay":"","x":1,"y":1,"wires":[["r"],[],[]]},
        {"id":"r","type":"http response","z":"t","x":1,"y":1,"wires":[]}]"#;
    std::fs::write(&flows, flow).unwrap();
    let up = Up::start(&flows, UpOptions { replicas: 1, ..UpOptions::default() }).unwrap();
    let answer = get(up.http, "/env").unwrap();
    let text = format!("{answer:?}");
    assert!(text.contains("PATH="), "{text}");
    assert!(!text.contains("FLOTILLA_"), "{text}");
}
