//! Which store: what every subcommand that opens one takes.

use clap::Args;

/// Where a group's state is.
#[derive(Args, Clone, Debug)]
pub struct StoreUrl {
    /// Store: sqlite:PATH, postgres://, redis:// or nats://
    #[arg(
        long,
        env = "FLOTILLA_STORE",
        default_value = "sqlite:.flotilla/store.db",
        value_name = "URL",
        hide_env_values = true
    )]
    pub store: String,
}
