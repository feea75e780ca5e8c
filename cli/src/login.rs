//! `flotilla login` and `logout`: a token for a name and a password, kept for the commands of this user.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::access::Login;

use crate::client::{AdminArgs, logins};
use crate::password;
use crate::plain::print;
use crate::token::seconds;

/// What `flotilla login` takes.
#[derive(Args, Debug)]
pub struct LoginArgs {
    #[command(flatten)]
    admin: AdminArgs,
    /// The user [default: the name of the current system user]
    #[arg(value_name = "USER", env = "USER")]
    user: String,
    /// How long the login is valid: 12h, 30d
    #[arg(long, default_value = "1d", value_name = "TIME", value_parser = seconds)]
    expires: u64,
}

/// What `flotilla logout` takes.
#[derive(Args, Debug)]
pub struct LogoutArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Asks for the password and keeps the token for the address.
pub async fn login(args: LoginArgs) -> anyhow::Result<ExitCode> {
    let client = args.admin.client();
    let password = password::known(&format!("Password of {}: ", args.user))?;
    let login = Login { user: args.user, password, name: "flotilla login".to_owned(), expires_s: Some(args.expires) };
    let made = client.login(&login).await?;
    let address = args.admin.address();
    logins::keep(&address, &made.secret)?;
    print(&format!("logged in at {address} as {}\n", made.token.user));
    Ok(ExitCode::SUCCESS)
}

/// Makes the kept token void and forgets it.
pub async fn logout(args: LogoutArgs) -> anyhow::Result<ExitCode> {
    let address = args.admin.address();
    let Some(token) = logins::find(&address) else {
        print(&format!("nobody is logged in at {address}\n"));
        return Ok(ExitCode::SUCCESS);
    };
    let client = AdminArgs { admin_token: Some(token.clone()), ..args.admin.clone() }.client();
    // flo_ID_SECRET
    let revoked = match token.split('_').nth(1) {
        Some(id) => client.revoke_token(id).await,
        None => Ok(()),
    };
    logins::forget(&address)?;
    match revoked {
        Ok(()) => print(&format!("logged out at {address}\n")),
        Err(error) => print(&format!("forgotten here; it was not revoked at {address}: {error}\n")),
    }
    Ok(ExitCode::SUCCESS)
}
