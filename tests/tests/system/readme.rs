//! The newcomer's first ten minutes: the README from top to bottom, each command as printed, on a clean clone.
//!
//! The folder is made as a clone with a build in it, because a release build takes longer than all tests: `cargo run --release --`
//! is this build of `flotilla`. The ports are those of the README, in a network namespace of the test's own.

use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flotilla_tests::{eventually, flotilla};

/// Commands of the README that this test does not run, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("tests/run", "it runs this test"),
    ("cargo run --profile dist -p flotilla-bench -- --help", "another program; a build of its own"),
    ("flotilla up ~/.node-red", "needs a user directory of Node-RED: user_dir.rs runs three"),
    ("flotilla pub", "the name of the command: run as target/release/flotilla pub"),
    ("flotilla sub", "the name of the command: run as target/release/flotilla sub"),
    ("flotilla review", "the name of the command: run as cargo run --release -- review"),
    ("flotilla broker", "a process for several machines: parts.rs runs it"),
    ("flotilla replica", "a process for several machines: parts.rs runs it"),
    ("flotilla gateway", "a process for several machines: parts.rs runs it"),
];

/// Commands that name files of the user's own: what stands for them here.
const STANDS_FOR: [(&str, &str); 3] = [
    ("my-flows.json", "flows/examples/plant.json"),
    ("new-flows.json", "flows/examples/http-api.json"),
    ("flows.json tests.json", "flows/examples/plant.json flows/examples/plant.tests.json"),
];

/// Languages of blocks with commands. A block that has one would not be run: those of the README have none.
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "shell", "console", "shell-session"];

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The language of a block, from its first line.
fn language(block: &str) -> &str {
    block.lines().next().and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

/// The commands of a page, in its order: lines of blocks without a language, and what stands in backquotes.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        let (in_block, language) = (at % 2 == 1, language(part));
        if in_block {
            if language.is_empty() {
                found.extend(part.lines().skip(1).map(str::to_owned));
            }
            continue;
        }
        // A command may go over the end of a line.
        let text = part.split_whitespace().collect::<Vec<_>>().join(" ");
        found.extend(text.split('`').skip(1).step_by(2).filter(|code| is_command(code)).map(str::to_owned));
    }
    found.retain(|command| !command.trim().is_empty());
    found
}

fn is_command(code: &str) -> bool {
    let first = code.split(' ').next().unwrap_or_default();
    let programs = ["flotilla", "cargo", "tests/run", "target/release/flotilla"];
    // `flotilla` alone is the name of the binary.
    programs.contains(&first) && code != "flotilla"
}

/// A shell in a network namespace, in a clean clone.
struct Newcomer {
    shell: Child,
    input: ChildStdin,
    output: Arc<Mutex<String>>,
    folder: tempfile::TempDir,
    commands: usize,
}

impl Newcomer {
    fn sit_down() -> Newcomer {
        let folder = tempfile::TempDir::new().unwrap();
        let clone = folder.path();
        for name in ["flows", "README.md", "docs", "tests"] {
            symlink(repository().join(name), clone.join(name)).unwrap();
        }
        std::fs::create_dir_all(clone.join("target/release")).unwrap();
        std::fs::create_dir_all(clone.join("bin")).unwrap();
        symlink(flotilla().unwrap(), clone.join("target/release/flotilla")).unwrap();
        symlink(flotilla().unwrap(), clone.join("bin/flotilla")).unwrap();
        let built = "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec target/release/flotilla \"$@\"\n";
        write_program(&clone.join("bin/cargo"), built);
        // It has no terminal to show progress at.
        std::fs::write(clone.join(".curlrc"), "silent\nshow-error\n").unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("unshare")
            .args(["--map-root-user", "--net", "sh", "-c", "ip link set lo up && exec sh 2>&1"])
            .current_dir(clone)
            .env("PATH", format!("{}:{path}", clone.join("bin").display()))
            .env("HOME", clone)
            .env("XDG_RUNTIME_DIR", clone)
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, mut stdout) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let output = Arc::new(Mutex::new(String::new()));
        let sink = output.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Newcomer { shell, input, output, folder, commands: 0 }
    }

    /// Types a command as it is printed; answers what came out until it ended, and its exit code.
    fn types(&mut self, command: &str) -> (String, String) {
        use std::io::Write as _;
        self.commands += 1;
        let mark = format!("=== {}", self.commands);
        let before = self.said().len();
        writeln!(self.input, "{command}\necho \"{mark} $?\"").unwrap();
        let ended = || {
            let said = self.said().split_off(before);
            let (text, code) = said.split_once(&format!("{mark} "))?;
            let code = code.split_once('\n')?.0.to_owned();
            Some((text.to_owned(), code))
        };
        eventually(&format!("{command} to end"), Duration::from_mins(2), ended).unwrap()
    }

    /// All that came out so far.
    fn said(&self) -> String {
        self.output.lock().unwrap().clone()
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        // Ends `up` and its replicas with the namespace's shell: they hear that the pipe is closed.
        let _ = Command::new(flotilla().unwrap())
            .args(["down", "--data"])
            .arg(self.folder.path().join(".flotilla"))
            .output();
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn write_program(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Whether a namespace can be had here.
fn has_namespaces() -> bool {
    let made = Command::new("unshare").args(["--map-root-user", "--net", "sh", "-c", "ip link set lo up"]).output();
    made.is_ok_and(|made| made.status.success())
}

/// A line without what differs from run to run: times, ids, ports, process ids, sizes.
fn redacted(text: &str) -> String {
    let line = |line: &str| {
        let mut words = Vec::new();
        for word in line.split(' ') {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let hex = bare.len() == 16 && bare.chars().all(|c| c.is_ascii_hexdigit());
            let date = bare.len() == 10 && bare.as_bytes()[4] == b'-' && bare.starts_with("20");
            let clock = bare.len() >= 8 && bare.as_bytes()[2] == b':' && bare.as_bytes()[5] == b':';
            let process = bare.split_once('/').is_some_and(|(_, born)| born.len() == 13 && born.parse::<u64>().is_ok());
            words.push(match () {
                () if hex => word.replace(bare, "[revision]"),
                () if date => word.replace(bare, "[date]"),
                () if clock => word.replace(bare, "[time]"),
                () if process => "[process]".to_owned(),
                () if bare.starts_with("default-") => word.replace(bare, "[replica]"),
                () => word.to_owned(),
            });
        }
        let line = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        match &*line {
            // What it is connected to comes a little later, on a slow machine.
            _ if line.starts_with("replicas 3 ready") => "replicas 3 ready [...]".to_owned(),
            _ if line.starts_with("ok ") => line.split(" (").next().unwrap_or_default().to_owned(),
            _ => ["mosquitto_pub -h", "flotilla pub -h"]
                .iter()
                .fold(line, |line, from| line.replace(from, "[publisher] -h")),
        }
    };
    text.lines().map(line).filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_run_is_in_the_readme_and_no_block_is_hidden() {
    let page = std::fs::read_to_string(repository().join("README.md")).unwrap();
    for block in page.split("```").skip(1).step_by(2) {
        let hidden = SHELLS.contains(&language(block).to_lowercase().as_str());
        assert!(!hidden, "a block with a language is not run: take the language away from\n```{block}```");
    }
    assert!(!page.contains("~~~"), "only blocks between ``` are run");
    let all = commands(&page);
    for (command, _) in NOT_RUN {
        assert!(
            all.iter().any(|found| found == command),
            "the README has no `{command}` any more: take it out of the list"
        );
    }
    assert!(all.len() > NOT_RUN.len() + 8, "{all:#?}");
}

#[test]
fn the_first_ten_minutes() {
    if !has_namespaces() {
        return eprintln!("SKIPPED readme::the_first_ten_minutes: no network namespace can be made here (unshare, ip)");
    }
    let page = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let mut newcomer = Newcomer::sit_down();
    let mut transcript = String::new();
    let listed = commands(&page);
    let run = listed.iter().filter(|command| !NOT_RUN.iter().any(|(name, _)| name == command));
    for command in run {
        let typed = STANDS_FOR.iter().fold(command.clone(), |typed, (name, file)| typed.replace(name, file));
        if typed.contains("-- up ") {
            // It runs until Ctrl-C, in a terminal of its own.
            newcomer.types(&format!("{typed} > up.out 2> up.log &"));
            let file = newcomer.folder.path().join("up.out");
            let banner = || std::fs::read_to_string(&file).ok().filter(|text| text.contains("Ctrl-C"));
            let banner = eventually("the banner", Duration::from_mins(1), banner).unwrap();
            transcript += &format!("$ {command}\n{}\n", redacted(&banner));
            continue;
        }
        let before = newcomer.said().len();
        let connections = |newcomer: &mut Newcomer| -> Option<usize> {
            newcomer.types("flotilla broker status").0.split(' ').next()?.parse().ok()
        };
        let connected = if typed.ends_with('&') { connections(&mut newcomer) } else { None };
        let (text, code) = newcomer.types(&typed);
        if typed.ends_with('&') {
            transcript += &format!("$ {command}\n");
            let subscribed = || (connections(&mut newcomer) > connected).then_some(());
            eventually("the subscription", Duration::from_secs(30), subscribed).unwrap();
            continue;
        }
        let mut shown = text;
        if typed.contains(" pub ") {
            let reported = || {
                let said = newcomer.said().split_off(before);
                said.contains("plant/press-1/report").then_some(said)
            };
            // What the subscriber in the background prints comes when it comes.
            shown = eventually("the flow's report", Duration::from_secs(30), reported).unwrap();
            shown = shown.lines().filter(|line| line.starts_with("plant/")).collect::<Vec<_>>().join("\n");
        }
        if typed == "flotilla status" {
            // New replicas are there a little later.
            let scaled = || Some(newcomer.types(&typed).0).filter(|text| text.starts_with("5 ready"));
            shown = eventually("five replicas", Duration::from_mins(1), scaled).unwrap();
        }
        if typed.starts_with("flotilla status") || typed.starts_with("flotilla audit") {
            // Load, memory and the order of replicas differ.
            shown = shown.lines().next().unwrap_or_default().to_owned();
        }
        let ended = if code == "0" { String::new() } else { format!("[exit {code}]\n") };
        transcript += &format!("$ {command}\n{}\n{ended}", redacted(&shown));
    }
    let down = newcomer.types("kill %2; flotilla down").1;
    assert_eq!(down, "0");
    insta::assert_snapshot!(transcript);
}
