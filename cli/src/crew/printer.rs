//! What the replicas write, as one stream.

use flotilla_api::log::LogLine;
use flotilla_tasks::{Handle, Task};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::logging::{self, LogFormat};

/// A line is read up to this many bytes; a longer one comes in pieces.
const LONGEST: u64 = 1 << 20;

/// Prints what replicas write on standard error.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// How lines look.
    pub format: LogFormat,
}

impl Printer {
    /// Prints the lines of a replica until it ends. What it wrote before it was killed is in the pipe, and is printed.
    pub fn follow(self, replica: &str, output: impl AsyncRead + Unpin + Send + 'static) -> Handle<()> {
        let replica = replica.to_owned();
        let task = Task {
            name: "output of a replica",
            owner: replica.as_str().into(),
            ends: "the replica's standard error closes",
            failure: "its lines are not printed any more; `flotilla logs` has them",
        };
        task.spawn(async move {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            loop {
                line.clear();
                match (&mut output).take(LONGEST).read_until(b'\n', &mut line).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => self.print(&replica, String::from_utf8_lossy(&line).trim_end()),
                }
            }
        })
    }

    fn print(self, replica: &str, text: &str) {
        let line = serde_json::from_str::<LogLine>(text).ok().filter(|line| !line.message.is_empty());
        logging::write(&match (line, self.format) {
            (Some(line), LogFormat::Text) => logging::text(&line, logging::has_colours()),
            (Some(line), LogFormat::Json) => logging::json(&line),
            // What the process did not write itself: a panic outside of any task, a linker, an allocator.
            (None, LogFormat::Text) => logging::foreign(replica, text, logging::has_colours()),
            (None, LogFormat::Json) => {
                let (replica, message) = (replica.to_owned(), text.to_owned());
                logging::json(&LogLine { replica, message, ..LogLine::default() })
            }
        });
    }
}
