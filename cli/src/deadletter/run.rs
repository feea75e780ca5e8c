//! The subcommands of `flotilla deadletter`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use flotilla_api::Client;
use flotilla_api::client::Versioned;
use flotilla_api::deadletter::{Cause, DeadLetter, DeadLetterContent, NewPayload, ReplayLetter};

use crate::client::{self, GroupArgs};
use crate::exit::{Exit, Failure};
use crate::group::{in_editor, not_made};
use crate::plain::print;

/// How often it is looked whether a replay has ended.
const LOOK: Duration = Duration::from_millis(200);

/// A payload has fewer bytes than this.
const LARGEST: u64 = 1 << 20;

/// What `flotilla deadletter` takes.
#[derive(Args, Debug)]
pub struct DeadLetterArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List them, the oldest first
    List,
    /// Show one with its payload
    Show {
        /// Its number
        id: u64,
        /// Write only the payload, unchanged
        #[arg(long)]
        payload: bool,
    },
    /// Run them again, one after the other; those that succeed are removed
    Replay {
        #[command(flatten)]
        which: Which,
        /// Start at the node where they failed, with the messages that they had there
        #[arg(long)]
        at_failure: bool,
        /// Seconds that each may take
        #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
        timeout: f64,
    },
    /// Change the payload of one, in your editor; then replay it
    Edit {
        /// Its number
        id: u64,
        /// The new payload, instead of the editor; - for standard input
        #[arg(long, value_name = "FILE")]
        payload: Option<PathBuf>,
        /// Change the message as it was where it failed, an object in JSON; then replay it with --at-failure
        #[arg(long)]
        at_failure: bool,
    },
    /// Discard them
    Discard(Which),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Which {
    /// Their numbers
    #[arg(conflicts_with_all = ["all", "topic", "node", "error"])]
    ids: Vec<u64>,
    /// All that exist now
    #[arg(long)]
    all: bool,
    /// All that arrived on this topic; with a trailing #, on all topics with this prefix
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// All that failed in the node with this id
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// All whose error contains this text
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
}

impl Which {
    fn wants(&self, letter: &DeadLetter) -> bool {
        let of_topic = |wanted: &String| match wanted.strip_suffix('#') {
            Some(start) => letter.topic.starts_with(start),
            None => letter.topic == *wanted,
        };
        self.topic.as_ref().is_none_or(of_topic)
            && self.node.as_ref().is_none_or(|node| letter.node == *node)
            && self.error.as_ref().is_none_or(|text| letter.error.contains(text))
    }
}

/// Runs the subcommand.
pub async fn run(args: DeadLetterArgs) -> anyhow::Result<ExitCode> {
    let (client, group) = (args.group.client(), &args.group.group);
    match args.command {
        Command::List => {
            let letters = client.dead_letters(group).await?;
            if args.group.admin.json {
                client::json(&letters);
            } else {
                list(letters);
            }
        }
        Command::Show { id, payload } => {
            let letter = client.dead_letter(group, id).await?;
            if payload {
                use std::io::Write;
                let bytes = content(&letter)?;
                drop(std::io::stdout().write_all(&bytes));
            } else if args.group.admin.json {
                client::json(&letter);
            } else {
                print(&text(&letter)?);
            }
        }
        Command::Replay { which, at_failure, timeout } => {
            let limit = Duration::try_from_secs_f64(timeout).context("--timeout must be 0 or more seconds")?;
            let mut code = ExitCode::SUCCESS;
            for id in ids(&client, group, &which).await? {
                match replay(&client, group, id, at_failure, limit).await? {
                    Replayed::Done => print(&format!("{id}: done\n")),
                    Replayed::Failed(error) => {
                        print(&format!("{id}: failed again: {error}\n"));
                        code = Exit::Failed.into();
                    }
                    Replayed::Open => {
                        print(&format!(
                            "{id}: not done within {timeout} s; it continues, see `flotilla deadletter list`\n"
                        ));
                        code = Exit::TimedOut.into();
                    }
                }
            }
            return Ok(code);
        }
        Command::Edit { id, payload, at_failure } => {
            let bytes = match payload {
                Some(file) => {
                    let bytes = read(&file)?;
                    let new = NewPayload { payload: STANDARD.encode(&bytes), at_failure };
                    client.edit_dead_letter(group, id, &new, None).await?;
                    bytes.len()
                }
                None => edit(&client, group, id, at_failure).await?,
            };
            let more = if at_failure { " --at-failure" } else { "" };
            print(&format!("{id}: has {bytes} bytes now; run it again with: flotilla deadletter replay {id}{more}\n"));
        }
        Command::Discard(which) => {
            for id in ids(&client, group, &which).await? {
                client.discard_dead_letter(group, id).await?;
                print(&format!("{id}: discarded\n"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens a dead letter in the editor; answers how many bytes it has then. The change is one of what was shown there.
async fn edit(client: &Client, group: &str, id: u64, at_failure: bool) -> anyhow::Result<usize> {
    let Versioned { value: letter, tag } = client.dead_letter_version(group, id).await?;
    let before = if at_failure {
        let message = letter.message.context(
            "the message that the failing node had was not kept: edit the payload instead, without --at-failure",
        )?;
        serde_json::to_string_pretty(&message)?
    } else {
        String::from_utf8(content(&letter)?).context("the payload is not text: give another one with --payload FILE")?
    };
    let text = in_editor(&before, "--payload")?;
    let new = NewPayload { payload: STANDARD.encode(&text), at_failure };
    client.edit_dead_letter(group, id, &new, tag.as_deref()).await.map_err(|error| {
        let more = if at_failure { " --at-failure" } else { "" };
        let (thing, show) = (format!("dead letter {id}"), format!("flotilla deadletter show {id} --group {group}"));
        not_made(
            &text,
            error.into(),
            &thing,
            &show,
            &format!("flotilla deadletter edit {id}{more} --group {group} --payload"),
        )
    })?;
    Ok(text.len())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(LARGEST).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Those that are meant.
///
/// # Errors
/// [`Exit::Unchanged`] when the filter meets none.
async fn ids(client: &Client, group: &str, which: &Which) -> anyhow::Result<Vec<u64>> {
    if !which.ids.is_empty() {
        return Ok(which.ids.clone());
    }
    let letters = client.dead_letters(group).await?.into_iter();
    let ids: Vec<u64> = letters.filter(|letter| which.wants(letter)).map(|letter| letter.id).collect();
    if ids.is_empty() {
        return Err(Failure::new(Exit::Unchanged, "no dead letter matches this filter").into());
    }
    Ok(ids)
}

enum Replayed {
    Done,
    Failed(String),
    Open,
}

/// Asks for one and waits until it has ended.
async fn replay(client: &Client, group: &str, id: u64, at_failure: bool, limit: Duration) -> anyhow::Result<Replayed> {
    let before = client.dead_letter(group, id).await?.letter.replays;
    client.replay_dead_letter(group, id, &ReplayLetter { at_failure, ..ReplayLetter::default() }).await?;
    let deadline = Instant::now() + limit;
    loop {
        let letters = client.dead_letters(group).await?;
        match letters.into_iter().find(|letter| letter.id == id) {
            None => return Ok(Replayed::Done),
            Some(letter) if letter.replays > before => return Ok(Replayed::Failed(letter.error)),
            Some(_) if Instant::now() >= deadline => return Ok(Replayed::Open),
            Some(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

fn list(letters: Vec<DeadLetter>) {
    if letters.is_empty() {
        return print("no dead letters\n");
    }
    let rows = letters.into_iter().map(|letter| {
        [
            letter.id.to_string(),
            client::time(letter.time_ms),
            letter.topic,
            letter.bytes.to_string(),
            letter.attempts.to_string(),
            letter.replays.to_string(),
            letter.node,
            letter.error.lines().next().unwrap_or_default().to_owned(),
        ]
    });
    client::table(["ID", "TIME", "TOPIC", "BYTES", "ATTEMPTS", "REPLAYS", "NODE", "ERROR"], rows);
}

fn content(letter: &DeadLetterContent) -> anyhow::Result<Vec<u8>> {
    let payload = letter.payload.as_deref().with_context(|| {
        format!("dead letter {} has {} bytes: too many to be kept", letter.letter.id, letter.letter.bytes)
    })?;
    STANDARD.decode(payload).context("the payload is not base64")
}

fn text(found: &DeadLetterContent) -> anyhow::Result<String> {
    let letter = &found.letter;
    let cause = match letter.cause {
        Cause::Failed => format!("node {} reported: {}", letter.node, letter.error),
        Cause::Died => letter.error.clone(),
    };
    let mut text = String::new();
    for (name, value) in [
        ("id", letter.id.to_string()),
        ("time", client::time(letter.time_ms)),
        ("topic", letter.topic.clone()),
        ("qos", letter.qos.to_string()),
        ("broker", format!("mqtt-broker node {}", letter.broker)),
        ("replica", letter.replica.clone()),
        ("why", cause),
        ("attempts", letter.attempts.to_string()),
        ("replays", letter.replays.to_string()),
    ] {
        text += &format!("{name:<9} {value}\n");
    }
    for (name, value) in &found.properties.user {
        text += &format!("{:<9} {name}: {value}\n", "property");
    }
    let payload = match &found.payload {
        None => format!("({} bytes: too many to be kept)", letter.bytes),
        Some(_) => String::from_utf8(content(found)?)
            .unwrap_or_else(|_| format!("({} bytes that are not text; --payload writes them)", letter.bytes)),
    };
    text += &format!("\n{payload}\n");
    if let Some(message) = &found.message {
        let shown = serde_json::to_string_pretty(message)?;
        text += &format!("\nthe message at node {} (replay --at-failure, edit --at-failure):\n{shown}\n", letter.node);
    }
    if let Some(trail) = &found.trail {
        text += &format!("\n{}", crate::trail::text(trail));
    }
    Ok(text)
}
