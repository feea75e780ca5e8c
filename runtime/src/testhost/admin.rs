//! The editor's buttons over HTTP.

use axum::Router;
use tokio::net::TcpListener;

/// Serves the buttons on a free port of the loopback address for as long as the process lives; answers the base URL.
pub(super) async fn serve() -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, Router::new()).await {
            tracing::error!("testhost: the admin server ended: {error}");
        }
    });
    Ok(url)
}
