//! The admin token of a group that runs with `up`: made once, readable only by its owner.

use std::path::Path;

use anyhow::Context;
use flotilla_gateway::admin::Token;

use crate::client::TOKEN_FILE;
use crate::group_key;

/// The token that was given, else that of the data folder, which is made when it is not there.
pub fn admin_token(given: Option<&str>, data: &Path) -> anyhow::Result<Token> {
    if let Some(given) = given {
        return Token::new(given).context("see FLOTILLA_ADMIN_TOKEN");
    }
    let file = data.join(TOKEN_FILE);
    let token = group_key::load_or_make(&file)?;
    Token::new(&token).with_context(|| format!("remove {} to get a new one", file.display()))
}
