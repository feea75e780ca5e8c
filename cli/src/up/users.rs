//! `flotilla up --users`: people log in.

use std::sync::Arc;

use flotilla_group::accounts::Accounts;
use flotilla_store::Store;

/// What the banner says of it.
pub(super) async fn advice(store: &Arc<dyn Store>) -> anyhow::Result<String> {
    let users = Accounts::new(store.clone());
    Ok(match users.users().has_admin().await? {
        true => "Users log in: flotilla login NAME\n\n",
        false => "Users log in. The first one to add is an admin: flotilla user add NAME --role admin\n\n",
    }
    .to_owned())
}
