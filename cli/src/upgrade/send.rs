//! Sends a binary into the store.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use flotilla_api::placement::{BinaryChunk, CHUNK, LARGEST_BINARY, NewBinary};
use flotilla_api::{Client, ClientError};
use sha2::{Digest, Sha256};

use crate::exit::{Exit, Failure};

/// How long to wait when the gateway asks for patience.
const SLOWLY: Duration = Duration::from_secs(1);

/// Sends a binary, unless the store has it; answers its hash.
pub(super) async fn send(client: &Client, file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?.len();
    if size == 0 || size > LARGEST_BINARY {
        let why = format!("--binary {shown}: {size} bytes cannot be a binary; it must have 1 byte to 1 GiB");
        return Err(Failure::new(Exit::Usage, why).into());
    }
    let (mut hash, mut open) = (Sha256::new(), File::open(file)?);
    loop {
        let bytes = next(&mut open).with_context(|| format!("cannot read {shown}"))?;
        if bytes.is_empty() {
            break;
        }
        hash.update(&bytes);
    }
    let sha256: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let known = client.announce_binary(&NewBinary { sha256: sha256.clone(), size }).await?;
    if known.complete {
        return Ok(sha256);
    }
    let mut open = File::open(file).with_context(|| format!("cannot read {shown}"))?;
    for index in 0..known.chunks {
        let bytes = next(&mut open).with_context(|| format!("cannot read {shown}"))?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes)?;
        let chunk = BinaryChunk { data: STANDARD.encode(encoder.finish()?) };
        while let Err(error) = client.send_chunk(&sha256, index, &chunk).await {
            match error {
                ClientError::Refused(problem) if problem.status == 429 => tokio::time::sleep(SLOWLY).await,
                error => return Err(error.into()),
            }
        }
    }
    client.finish_binary(&sha256).await?;
    Ok(sha256)
}

fn next(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
