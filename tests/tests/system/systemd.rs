//! `deploy/systemd`: what systemd itself says of the units.

use std::process::{Command, Output};

use flotilla_tests::{deploy_file, flotilla, is_on_path};

/// The exposure that `systemd-analyze security` may find at most, in tenths: flows need the network.
const EXPOSURE: &str = "--threshold=25";

#[test]
fn the_units_are_valid_and_hardened() {
    if !is_on_path("systemd-analyze") {
        return eprintln!("SKIPPED systemd units: this needs systemd-analyze");
    }
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["flotilla.service", "flotilla-agent.service"] {
        let unit = std::fs::read_to_string(deploy_file(&format!("systemd/{name}"))).unwrap();
        let installed = "ExecStart=/usr/local/bin/flotilla";
        assert!(unit.contains(installed), "{name}: {unit}");
        // What a unit starts has to be there.
        let unit = unit.replace(installed, &format!("ExecStart={}", flotilla().unwrap().display()));
        let file = folder.path().join(name);
        std::fs::write(&file, unit).unwrap();
        let file = file.display().to_string();
        let analyze = |args: &[&str]| -> (Output, String) {
            let output = Command::new("systemd-analyze").args(args).arg(&file).output().unwrap();
            let text = [&output.stdout[..], &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
            (output, text.concat())
        };
        let (verified, text) = analyze(&["verify"]);
        // A warning is on standard error, with exit code 0.
        assert!(verified.status.success() && !text.contains(name), "{name}: {text}");
        let (judged, text) = analyze(&["security", "--offline=true", EXPOSURE]);
        if text.contains("unrecognized option") {
            eprintln!("SKIPPED systemd-analyze security: this needs systemd 250");
            continue;
        }
        assert!(judged.status.success(), "{name}: {text}");
    }
}
