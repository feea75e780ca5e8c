//! Begins an upgrade, looks at it, cancels it.

use std::process::ExitCode;

use flotilla_api::placement::{NewUpgrade, binary_name};

use super::args::{UpgradeArgs, UpgradeCommand};
use super::send::send;
use super::show::{summary, watch};
use crate::client;
use crate::plain::print;

/// Runs the subcommand.
pub async fn run(args: UpgradeArgs) -> anyhow::Result<ExitCode> {
    let (client, as_json) = (args.admin.client(), args.admin.json);
    let upgrade = match &args.command {
        Some(UpgradeCommand::Status { wait }) => {
            let status = client.upgrade().await?;
            if let Some(upgrade) = status.upgrade.as_ref().filter(|_| *wait) {
                return watch(&client, upgrade.number, as_json).await;
            }
            if as_json {
                client::json(&status);
                return Ok(ExitCode::SUCCESS);
            }
            match &status.upgrade {
                Some(upgrade) => print(&summary(upgrade)),
                None => {
                    print(&format!("the hosts run the binary {}; there was no upgrade\n", binary_name(&status.binary)));
                }
            }
            for why in status.waits_for {
                print(&format!("waits: {why}\n"));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Some(UpgradeCommand::Cancel) => client.cancel_upgrade().await?,
        None => {
            let sha256 = match &args.binary {
                Some(file) => send(&client, file).await?,
                None => String::new(),
            };
            client.begin_upgrade(&NewUpgrade { sha256, rules: args.rules() }).await?
        }
    };
    if args.wait {
        return watch(&client, upgrade.number, as_json).await;
    }
    if as_json {
        client::json(&upgrade);
    } else {
        print(&summary(&upgrade));
        print("see `flotilla upgrade status`\n");
    }
    Ok(ExitCode::SUCCESS)
}
