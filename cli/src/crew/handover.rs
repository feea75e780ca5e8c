//! A process restarts itself as another binary, and its replicas go on: they stay its children, and what they are connected to
//! it with goes along.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use super::command::{BINARY, Program};
use super::slot::{Held, Slot};

/// The variable that names the file with what is handed over.
pub const FILE: &str = "FLOTILLA_HANDOVER";
/// The variable that names the binary which the service manager starts.
pub(super) const INSTALLED: &str = "FLOTILLA_INSTALLED";
/// Descriptors in one message (the kernel takes 253).
const BATCH: usize = 128;
/// A byte for each message: one without any carries no descriptors.
const BYTE: [u8; 1] = [0];

/// What a process hands over to its next image.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Handover {
    /// What leases of this process are held under.
    pub holder: String,
    /// When it was started first, milliseconds since the epoch.
    pub started_ms: u64,
    /// The places.
    places: Vec<Place>,
    /// Those that were handed over.
    #[serde(skip)]
    slots: Vec<(String, u64, Slot)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Place {
    group: String,
    number: u64,
    generation: u64,
    runs: Option<Runs>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Runs {
    id: String,
    pid: u32,
    born_ms: u64,
    has_output: bool,
}

impl Handover {
    /// What is to be handed over, without places.
    pub fn new(holder: &str, started_ms: u64) -> Handover {
        Handover { holder: holder.to_owned(), started_ms, ..Handover::default() }
    }

    /// The places that were handed over: group, number, and what runs there.
    pub fn take_slots(&mut self) -> Vec<(String, u64, Slot)> {
        std::mem::take(&mut self.slots)
    }
}

/// Replaces this process by another binary, with the same arguments and children. Returns only when that fails: the replicas
/// go on as before then. Standard input and what SIGPIPE does are as `exec` left them.
pub fn hand_over(
    program: &Program,
    installed: &Path,
    folder: &Path,
    mut handover: Handover,
    slots: &[(String, u64, Slot)],
) -> anyhow::Error {
    // Nothing starts or ends until this process is another one.
    let held: Vec<_> = slots.iter().map(|(group, number, slot)| (group, number, slot.lock())).collect();
    let mut replaced = || -> anyhow::Result<io::Error> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let mut descriptors = Vec::new();
        for (group, number, content) in &held {
            let runs = content.held.as_ref().map(|held| {
                descriptors.push(held.stdin.as_fd());
                descriptors.extend(held.stderr.as_ref().map(|output| output.as_fd()));
                Runs { id: held.id.clone(), pid: held.pid, born_ms: held.born_ms, has_output: held.stderr.is_some() }
            });
            let (group, number, generation) = ((*group).clone(), **number, content.generation);
            handover.places.push(Place { group, number, generation, runs });
        }
        // They wait in the socket's queue, and live on while everything else of this process is closed.
        for batch in descriptors.chunks(BATCH) {
            send(ours.as_fd(), batch).context("cannot keep the pipes of the replicas")?;
        }
        let file = folder.join(format!("handover-{}.json", std::process::id()));
        let mut written = std::fs::OpenOptions::new();
        let written = written.write(true).create(true).truncate(true).mode(0o600).open(&file);
        let written = written.with_context(|| format!("cannot write {}", file.display()))?;
        serde_json::to_writer(written, &handover)?;
        let mut next = Command::new(&program.path);
        next.args(std::env::args_os().skip(1)).env(FILE, &file).env(INSTALLED, installed).env(BINARY, &program.sha256);
        // The one descriptor that the next image finds without being told a number.
        let error = next.stdin(Stdio::from(theirs)).exec();
        let _ = std::fs::remove_file(&file);
        Ok(error)
    };
    match replaced() {
        Ok(error) => anyhow::Error::from(error).context(format!("cannot run {}", program.path.display())),
        Err(error) => error,
    }
}

/// What the image of this process before handed over, if there was one.
///
/// # Errors
/// When it cannot be read.
pub fn taken_over() -> anyhow::Result<Option<Handover>> {
    let Some(file) = std::env::var_os(FILE) else { return Ok(None) };
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", Path::new(&file).display()))?;
    let _ = std::fs::remove_file(&file);
    let mut handover: Handover = serde_json::from_str(&text)?;
    let wanted: usize = handover
        .places
        .iter()
        .filter_map(|place| place.runs.as_ref())
        .map(|runs| 1 + usize::from(runs.has_output))
        .sum();
    let mut found = Vec::new();
    while found.len() < wanted {
        let before = found.len();
        receive(io::stdin().as_fd(), &mut found).context("the pipes of the replicas were not handed over")?;
        ensure!(found.len() > before, "{before} of {wanted} pipes of the replicas were handed over");
    }
    let mut found = found.into_iter();
    for place in std::mem::take(&mut handover.places) {
        let slot = Slot::default();
        let mut content = slot.lock();
        content.generation = place.generation;
        if let Some(runs) = place.runs
            && let Some(stdin) = found.next()
        {
            let stderr = if runs.has_output { found.next() } else { None };
            content.held = Some(Held { id: runs.id, pid: runs.pid, born_ms: runs.born_ms, stdin, stderr });
        }
        drop(content);
        handover.slots.push((place.group, place.number, slot));
    }
    Ok(Some(handover))
}

fn send(socket: BorrowedFd<'_>, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(socket, &[IoSlice::new(&BYTE)], &mut ancillary, SendFlags::DONTWAIT)?;
    Ok(())
}

fn receive(socket: BorrowedFd<'_>, found: &mut Vec<OwnedFd>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = BYTE;
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            found.extend(descriptors);
        }
    }
    Ok(())
}
