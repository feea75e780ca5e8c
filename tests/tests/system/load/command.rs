//! `flotilla load` as people run it: exit codes, results, the page, comparisons.

use std::path::Path;
use std::process::{Command, Output};

use flotilla_load::report::Results;
use flotilla_tests::{Up, UpOptions, flotilla, write_flow};

use crate::rollout_flow::flow;

fn load(args: &[&str]) -> Output {
    Command::new(flotilla().unwrap()).arg("load").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn up(folder: &Path) -> Up {
    let file = write_flow(folder, &flow("x", "")).unwrap();
    Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap()
}

#[test]
fn flags_results_page_and_comparison() {
    let folder = tempfile::TempDir::new().unwrap();
    let up = up(folder.path());
    let (mqtt, page, junit) = (up.mqtt.to_string(), folder.path().join("r.html"), folder.path().join("r.xml"));
    let (page, junit) = (page.display().to_string(), junit.display().to_string());
    let simple =
        ["--mqtt", &mqtt, "--topic", "in", "--expect", "out", "--rate", "200", "--for", "2s", "--quiet", "--json"];
    let mut args = simple.to_vec();
    args.extend(["--require", "lost = 0", "--require", "rate > 1000000/s", "--report", &page, "--junit", &junit]);
    let failed = load(&args);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed.stderr));
    let results = Results::parse(&text(&failed.stdout)).unwrap();
    assert_eq!((results.totals.sent, results.totals.received, results.totals.lost), (400, 400, 0));
    assert_eq!(results.thresholds.iter().map(|one| one.passed).collect::<Vec<_>>(), [true, false]);
    assert!(results.latency.p50 > 0.0 && results.latency.p99 >= results.latency.p50);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<svg") && !html.contains("http://") && !html.contains("https://"), "nothing from a network");
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("failures=\"1\"") && xml.contains("rate &gt; 1000000/s does not hold"), "{xml}");

    let passed = load(&simple);
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed.stderr));
    let (before, after) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&before, &failed.stdout).unwrap();
    std::fs::write(&after, &passed.stdout).unwrap();
    let (before, after) = (before.display().to_string(), after.display().to_string());
    let same = load(&["compare", &before, &after, "--require", "received > -1%", "--report", &page]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
    assert!(text(&same.stdout).contains("p99"));
    let worse = load(&["compare", &before, &after, "--require", "received > +50%"]);
    assert_eq!(worse.status.code(), Some(1));
    assert!(text(&worse.stderr).contains("received > +50% does not hold"), "{}", text(&worse.stderr));
}

#[test]
fn requests_are_answered_and_a_wrong_status_is_an_error() {
    let folder = tempfile::TempDir::new().unwrap();
    let up = up(folder.path());
    let good = format!("http://{}/version", up.http);
    let asked = load(&["--http", &good, "--rate", "100", "--for", "2s", "--clients", "4", "--quiet", "--json"]);
    let totals = Results::parse(&text(&asked.stdout)).unwrap().totals;
    assert_eq!((totals.sent, totals.received, totals.errors), (200, 200, 0));
    let bad = format!("http://{}/nothing", up.http);
    let asked =
        load(&["--http", &bad, "--count", "20", "--quiet", "--json", "--require", "errors < 1%", "--drain", "1s"]);
    assert_eq!(asked.status.code(), Some(1));
    let results = Results::parse(&text(&asked.stdout)).unwrap();
    assert_eq!((results.totals.errors, results.errors.get("status 404").copied()), (20, Some(20)));
}

#[test]
fn what_cannot_run_is_said_with_code_2() {
    let folder = tempfile::TempDir::new().unwrap();
    let scenario = folder.path().join("s.toml");
    let scenario_arg = scenario.display().to_string();
    for (toml, part) in [
        ("[[publish]]\ntopic = \"a\"\nrates = 5\n", "unknown field `rates`"),
        ("[mqtt]\nurl = \"127.0.0.1:1\"\n[[publish]]\ntopic = \"a/#\"\n", "not a topic that one can publish to"),
        ("[mqtt]\nurl = \"127.0.0.1:1\"\n[[publish]]\ntopic = \"a\"\nqos = 3\n", "publish[0].qos: 3 is not 0, 1 or 2"),
        ("[[publish]]\ntopic = \"a\"\n", "mqtt.url"),
        ("name = \"nothing\"\n", "sends nothing"),
        ("[mqtt]\nurl = \"127.0.0.1:1\"\n[[publish]]\ntopic = \"a\"\n", "cannot connect to the broker 127.0.0.1:1"),
        ("[mqtt]\nurl = \"127.0.0.1:1\"\n[[publish]]\ntopic = \"a\"\n[faults]\n", "name the group"),
    ] {
        std::fs::write(&scenario, toml).unwrap();
        let output = load(&[&scenario_arg]);
        assert_eq!(output.status.code(), Some(2), "{toml}");
        assert!(text(&output.stderr).contains(part), "{toml}: {}", text(&output.stderr));
    }
    let nobody =
        load(&["--mqtt", "127.0.0.1:1", "--topic", "a", "--faults", &format!("up:{}", folder.path().display())]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("no `flotilla up` runs with the data folder"), "{}", text(&nobody.stderr));
}
