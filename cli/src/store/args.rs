//! What `flotilla store` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::store_url::StoreUrl;

/// Copies a store's content into a file, and back. Credentials and secrets stay encrypted with the group's key: keep that,
/// too.
#[derive(Args, Debug)]
pub struct StoreArgs {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Write a backup, while the group runs or not
    Export {
        /// File to write, readable by its owner only, or - for standard output
        file: PathBuf,
        #[command(flatten)]
        at: StoreUrl,
    },
    /// Load a backup into a store while its group is stopped
    Import {
        /// File to read, or - for standard input
        file: PathBuf,
        /// First remove the store's content; without this flag a store that is not empty is refused
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        at: StoreUrl,
    },
}
