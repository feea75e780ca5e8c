//! URLs with passwords that are wrong: no command repeats a password.

use std::process::Command;

use flotilla_tests::flotilla;

/// Passwords with what ends a host in a URL, too.
const USERS: [&str; 4] = ["me:hunter2", "me:hunter2/hunter2", "me:1,hunter2:z", "me:hunter2?hunter2"];

/// What a command says to a URL, given after these arguments.
fn says(args: &[&str], url: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let mut command = Command::new(flotilla().unwrap());
    command.args(args).arg(url).current_dir(folder.path());
    for name in ["FLOTILLA_STORE_USER", "FLOTILLA_STORE_PASSWORD", "FLOTILLA_STORE", "FLOTILLA_DATA"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{args:?} takes {url}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn no_command_repeats_the_password_of_a_wrong_url() {
    let commands: [(&[&str], &[&str]); 5] = [
        (&["pub", "-m", "x", "-L"], &["mqtt", "bogus"]),
        (&["sub", "-L"], &["mqtts", "bogus"]),
        (&["load", "--for", "1s", "--topic", "t", "--mqtt"], &["mqtt", "bogus"]),
        (&["load", "--for", "1s", "--http"], &["http", "bogus"]),
        (&["store", "export", "-", "--store"], &["redis", "postgres", "nats", "bogus"]),
    ];
    for (args, schemes) in commands {
        for scheme in schemes {
            for user in USERS {
                // A port that is none, whatever is taken for the password.
                let url = format!("{scheme}://{user}@127.0.0.1:port/t");
                let said = says(args, &url);
                assert!(!said.contains("hunter2"), "{args:?} {url} says: {said}");
                assert!(!said.trim().is_empty(), "{args:?} {url} says nothing");
            }
        }
    }
}
