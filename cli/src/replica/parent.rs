//! A supervised replica ends with its supervisor.

use tokio::io::AsyncReadExt;

/// Returns when standard input closes: the supervisor asks this replica to drain, or is gone.
pub async fn gone() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0u8; 64];
    while stdin.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
