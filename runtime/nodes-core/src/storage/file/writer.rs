//! Getting bytes into files. An append to a fixed file keeps it open.

use std::io::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// The file that is kept open, if any.
#[derive(Default)]
pub(super) struct Writer {
    open: Option<Open>,
}

struct Open {
    file: File,
    path: PathBuf,
    inode: u64,
}

impl Writer {
    /// Replaces a file's content.
    pub(super) async fn overwrite(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = File::create(path).await?;
        file.write_all(bytes).await?;
        file.flush().await
    }

    /// Appends to a file. `keep` keeps it open for the next time, unless it is deleted or replaced meanwhile.
    pub(super) async fn append(&mut self, path: &Path, bytes: &[u8], keep: bool) -> Result<(), Error> {
        let mut open = match self.open.take() {
            Some(open) if keep && open.path == path && is_same(&open).await => open,
            _ => {
                let file = OpenOptions::new().append(true).create(true).open(path).await?;
                let inode = file.metadata().await?.ino();
                Open { file, path: path.to_owned(), inode }
            }
        };
        open.file.write_all(bytes).await?;
        open.file.flush().await?;
        if keep {
            self.open = Some(open);
        }
        Ok(())
    }
}

async fn is_same(open: &Open) -> bool {
    tokio::fs::metadata(&open.path).await.is_ok_and(|found| found.ino() == open.inode)
}
