//! The subcommands of `flotilla key`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use flotilla_api::Client;
use flotilla_api::key::{KeyState, RotateKey};

use crate::client::{self, AdminArgs};
use crate::exit::Exit;
use crate::group_key;
use crate::plain::print;

/// How long a rotation waits for processes that take the new key by themselves.
const WAIT: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);

/// What `flotilla key` takes.
#[derive(Args, Debug)]
pub struct KeyArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show which key is in use, by its fingerprint, and which processes still have the old key in their configuration
    Show,
    /// Re-encrypt everything with a new key while the group runs, and retire the old key when no process needs it
    Rotate {
        /// File with the new key, for a gateway that was given its key; if it does not exist, it is made for its owner only.
        /// `flotilla up` needs none: it keeps the new key in its data folder
        #[arg(long, value_name = "FILE")]
        new_key: Option<PathBuf>,
    },
    /// Retire the old key, once all processes were restarted with the new one
    Finish,
}

/// Runs a subcommand.
pub async fn run(args: KeyArgs) -> anyhow::Result<ExitCode> {
    let client = args.admin.client();
    match args.command {
        Command::Show => {
            let state = client.key().await?;
            if args.admin.json { client::json(&state) } else { show(&state) }
        }
        Command::Rotate { new_key } => return Ok(rotate(&client, new_key, args.admin.json).await?.into()),
        Command::Finish => {
            let finished = client.finish_key().await?;
            match args.admin.json {
                true => client::json(&finished),
                false => print("the old key is out of use: it opens nothing any more\n"),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Rotates. [`Exit::TimedOut`] when processes that take the new key by themselves have not after [`WAIT`].
async fn rotate(client: &Client, new_key: Option<PathBuf>, json: bool) -> anyhow::Result<Exit> {
    let key = new_key.as_deref().map(group_key::load_or_make).transpose()?;
    let rotated = client.rotate_key(&RotateKey { key }).await?;
    if !json {
        print(&format!("sealed with the new key {}: {} records\n", rotated.to, rotated.written));
    }
    let deadline = Instant::now() + WAIT;
    let (state, late) = loop {
        let state = client.key().await?;
        let late: Vec<_> = state.holders.iter().filter(|holder| holder.key == rotated.from).cloned().collect();
        // A gateway that was given its key has to be restarted: there is nothing to wait for.
        if late.is_empty() || new_key.is_some() || Instant::now() > deadline {
            break (state, late);
        }
        tokio::time::sleep(LOOK).await;
    };
    if late.is_empty() {
        client.finish_key().await?;
        match json {
            true => client::json(&rotated),
            false => print("the old key is out of use: it opens nothing any more\n"),
        }
        return Ok(Exit::Done);
    }
    // With a file, a restart by hand is the next step; without one, nothing should be left to do.
    let exit = if new_key.is_some() { Exit::Done } else { Exit::TimedOut };
    if json {
        client::json(&state);
        return Ok(exit);
    }
    show(&state);
    let from = &rotated.from;
    match new_key {
        Some(file) => print(&format!(
            "\nRestart those with the key {from}, one after the other, with what is in {} (FLOTILLA_GROUP_KEY). Until then both\n\
             keys work. Then: flotilla key finish\n",
            file.display()
        )),
        None => print(&format!(
            "\nNot finished: after {} s those with the key {from} have not taken the new one. What `flotilla up` started takes it\n\
             when it reaches the store again: see flotilla key show. End what hangs, and what was started by hand with the old\n\
             key. Until then both keys work. Then: flotilla key finish\n",
            WAIT.as_secs()
        )),
    }
    Ok(exit)
}

fn show(state: &KeyState) {
    print(&format!("key {}\n", state.current.as_deref().unwrap_or("none: credentials and secrets cannot be kept")));
    for pending in &state.pending {
        print(&format!("{} is being replaced by {}\n", pending.from, pending.to));
    }
    client::table(
        ["GROUP", "PROCESS", "ID", "KEY AT NEXT START"],
        state
            .holders
            .iter()
            .map(|holder| [holder.group.clone(), holder.kind.clone(), holder.id.clone(), holder.key.clone()]),
    );
}
