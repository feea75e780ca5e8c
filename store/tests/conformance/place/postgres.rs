//! A PostgreSQL cluster of its own, made once per target directory and copied. PostgreSQL does not run as root: then it
//! runs as the user `postgres`.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::{Server, free_port};

const PASSWORD: &str = "s3cret-right";

pub fn start(folder: &Path) -> Result<Server, String> {
    let programs = programs().ok_or("postgres is not installed")?;
    let owner = owner()?;
    let data = folder.join("data");
    let template = template(&programs, owner)?;
    run(Command::new("cp").arg("-a").arg(&template).arg(&data))?;
    if let Some((uid, gid)) = owner {
        run(Command::new("chown").arg(format!("{uid}:{gid}")).arg(folder))?;
    }
    let port = free_port();
    let url = |password: &str| format!("postgres://tester:{password}@127.0.0.1:{port}/postgres");
    Server::start(url(PASSWORD), url("s3cret-wrong"), "QUIT", move || {
        let mut command = as_owner(&programs.join("postgres"), owner);
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=16MB"]);
        // Only the server dies here, never the machine: what it wrote is in the system's cache.
        command.args(["-c", "fsync=off"]);
        command
    })
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    found.retain(|path| path.join("initdb").exists());
    found.sort();
    found.pop()
}

/// Whom the server runs as, when not as ourselves.
fn owner() -> Result<Option<(u32, u32)>, String> {
    let id = |args: &[&str]| {
        let output = Command::new("id").args(args).output().map_err(|error| format!("id: {error}"))?;
        String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| "there is no user postgres".to_owned())
    };
    if id(&["-u"])? != 0 { Ok(None) } else { Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))) }
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

/// A cluster that was made once: initdb takes seconds, a copy takes none.
fn template(programs: &Path, owner: Option<(u32, u32)>) -> Result<PathBuf, String> {
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-template");
    if template.exists() {
        return Ok(template);
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let secret = folder.path().join("password");
    std::fs::write(&secret, PASSWORD).map_err(|error| error.to_string())?;
    if let Some((uid, gid)) = owner {
        run(Command::new("chown").arg("-R").arg(format!("{uid}:{gid}")).arg(folder.path()))?;
    }
    let made = folder.path().join("data");
    let mut initdb = as_owner(&programs.join("initdb"), owner);
    initdb.arg("-D").arg(&made).args(["-U", "tester", "--auth=scram-sha-256", "--no-sync", "--locale=C"]);
    run(initdb.arg("-E").arg("UTF8").arg("--pwfile").arg(&secret))?;
    // Several tests may do this at once: a rename is all or nothing, and the first one wins.
    let staged = template.with_extension(std::process::id().to_string());
    run(Command::new("cp").arg("-a").arg(&made).arg(&staged))?;
    if std::fs::rename(&staged, &template).is_err() {
        run(Command::new("rm").arg("-rf").arg(&staged))?;
    }
    Ok(template)
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))) }
}
