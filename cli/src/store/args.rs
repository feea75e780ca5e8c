//! What `flotilla store` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::store_url::StoreUrl;

/// Copies what a store holds into a file, and back. Credentials and secrets stay encrypted with the group's key: keep that,
/// too.
#[derive(Args, Debug)]
pub struct StoreArgs {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Write a backup; the group may run meanwhile
    Export {
        /// File to write, readable by its owner only, or - for standard output
        file: PathBuf,
        #[command(flatten)]
        at: StoreUrl,
    },
    /// Write a backup's content into a store whose group does not run
    Import {
        /// File to read, or - for standard input
        file: PathBuf,
        /// Remove what the store holds first; without this a store that holds something is refused
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        at: StoreUrl,
    },
}
