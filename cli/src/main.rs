//! The `flotilla` binary: one file or folder per subcommand.

mod address;
mod agent;
mod alert;
mod audit;
mod broker;
mod client;
mod completions;
mod config_file;
mod context;
mod crew;
mod deadletter;
mod debug;
mod deploy;
mod deploycheck;
mod door;
mod down;
mod env;
mod exit;
mod flow_args;
mod flow_files;
mod flow_folder;
mod flows;
mod gateway;
mod group;
mod group_key;
mod health;
mod host;
mod inject;
mod key;
mod known_up;
mod left_sessions;
mod load;
mod logging;
mod login;
mod logs;
mod machine;
mod machine_args;
mod modules;
mod nodes;
mod oidc;
mod password;
mod pipeline;
mod place;
mod placement;
mod plain;
mod process;
mod pubsub;
mod replica;
mod review;
mod revision;
mod rollout;
mod scale;
mod server_group;
mod snapshot;
mod status;
mod store;
mod store_url;
mod test;
mod testhost;
mod timers;
mod tls;
mod token;
mod trail;
mod up;
mod upgrade;
mod user;
mod user_dir;
mod version;

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs Node-RED flows as a highly available group of replicas.
///
/// Start with: flotilla up FLOWS.json
#[derive(Parser)]
#[command(name = "flotilla", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Args, Clone, Debug)]
struct Global {
    /// TOML file with a table per subcommand, keys named as the flags; flags and FLOTILLA_* variables take precedence
    #[arg(long, global = true, env = "FLOTILLA_CONFIG", value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Format of log lines; RUST_LOG sets the levels
    #[arg(long, global = true, env = "FLOTILLA_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: logging::LogFormat,
    /// Colours of log lines; NO_COLOR switches them off, too
    #[arg(long, global = true, env = "FLOTILLA_COLOR", default_value = "auto", value_name = "WHEN")]
    color: logging::Color,
}

#[derive(Subcommand)]
enum Command {
    /// Run a flow on this machine: broker, replicas, store and gateway, with one command
    Up(Box<up::UpArgs>),
    /// End the `flotilla up` of a data folder: it drains first
    Down(down::DownArgs),
    /// Run one replica of a group's flow
    Replica(replica::ReplicaArgs),
    /// Run on each machine: start, watch and stop the replicas that are placed there
    Agent(Box<agent::AgentArgs>),
    /// Run the HTTP front door: balancer for flow traffic, admin API
    Gateway(gateway::GatewayArgs),
    /// Run the MQTT broker
    Broker(Box<broker::BrokerArgs>),
    /// Report what a flow does differently with several replicas, node by node
    Review(review::ReviewArgs),
    /// Flow documents as files: one per tab for git, and back; merge two people's changes
    Flows(flows::FlowsArgs),
    /// Fetch the npm modules that a document's function nodes name
    Modules(modules::ModulesArgs),
    /// Run your own tests of a flow: messages in, messages out, without a broker
    Test(test::TestArgs),
    /// Roll a flow document out to a group, one replica at a time
    Deploy(deploy::DeployArgs),
    /// Check whether a group, and each replica of it, can take a flow document
    #[command(name = "deploycheck")]
    DeployCheck(Box<deploycheck::DeployCheckArgs>),
    /// Environment variables and secrets of a group: list, set, unset
    Env(env::EnvArgs),
    /// The key that encrypts credentials, secrets and dead letters: show it, replace it
    Key(key::KeyArgs),
    /// Show a rollout's progress; pause, resume or cancel it
    Rollout(rollout::RolloutArgs),
    /// Roll back to an earlier revision
    Rollback(rollout::RollbackArgs),
    /// List, show and compare revisions
    Revision(revision::RevisionArgs),
    /// Snapshots: revisions with a name; create, restore, export for FlowFuse or Node-RED
    Snapshot(snapshot::SnapshotArgs),
    /// Pipelines: revisions go from stage to stage, with tests, approvals and windows on the way
    Pipeline(Box<pipeline::PipelineArgs>),
    /// Groups: template, add, list, show, remove
    #[command(visible_alias = "hagroup", alias = "hagr")]
    Group(group::GroupCommandArgs),
    /// Server groups, which limit where replicas may be: create, list, show, delete, add
    ServerGroup(server_group::ServerGroupArgs),
    /// Show where replicas would run
    Placement(placement::PlacementArgs),
    /// Machines with an agent: list, show, drain, undrain, remove
    Host(host::HostArgs),
    /// Replace the binary of agents and replicas, one after the other, and roll back if that fails
    Upgrade(Box<upgrade::UpgradeArgs>),
    /// Change how many replicas run
    Scale(scale::ScaleArgs),
    /// Ask a Flotilla process whether it is ready: exit code 0, or 1 and the reason
    Health(health::HealthArgs),
    /// Show the replicas
    Status(status::StatusArgs),
    /// Show the flow's tabs and nodes: counts, errors, statuses
    Nodes(nodes::NodesArgs),
    /// Show the log lines of all replicas as one log
    Logs(logs::LogsArgs),
    /// Show the output of debug nodes
    Debug(debug::DebugArgs),
    /// Show where messages went, and choose which are recorded
    Trail(trail::TrailArgs),
    /// Show when inject nodes fire, and what was skipped
    Timers(timers::TimersArgs),
    /// Alerts: list them; test the webhook
    Alert(alert::AlertArgs),
    /// Press the button of an inject node
    Inject(inject::InjectArgs),
    /// Load a flow: numbered messages and requests, what was lost, repeated or out of order, latencies
    Load(Box<load::LoadArgs>),
    /// Messages that failed for good: list, show, run again, discard
    #[command(name = "deadletter")]
    DeadLetter(deadletter::DeadLetterArgs),
    /// Publish messages, with the flags of mosquitto_pub
    Pub(Box<pubsub::PubArgs>),
    /// Print messages, with the flags of mosquitto_sub
    Sub(Box<pubsub::SubArgs>),
    /// Users: add, list, set roles and passwords, remove
    User(user::UserArgs),
    /// Tokens for scripts and machines: make, list, revoke
    Token(token::TokenArgs),
    /// Log in as a user: the other commands then act as this user
    Login(login::LoginArgs),
    /// Log out
    Logout(login::LogoutArgs),
    /// Show who changed what, when and why
    Audit(audit::AuditArgs),
    /// Back up a store into a file, and restore it
    Store(store::StoreArgs),
    /// Read and write the shared context
    Context(context::ContextArgs),
    /// Print the version
    Version(version::VersionArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Write man pages
    Man(completions::ManArgs),
    /// Speak the test protocol on standard input and output: Node-RED's own specs run against it
    #[command(hide = true)]
    Testhost,
}

/// The command line. An agent runs replicas of all groups, so that it has no `--group`.
fn command_line() -> clap::Command {
    Cli::command().mut_subcommand("agent", |agent| agent.mut_arg("group", |group| group.hide(true)))
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("flotilla: {}", plain::lines(&format!("{error:#}")));
            if let Some(advice) = exit::advice(&error) {
                eprintln!("{}", plain::lines(advice));
            }
            exit::Exit::of(&error).into()
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let args: Vec<_> = std::env::args_os().collect();
    let command = config_file::apply(command_line(), &args)?;
    let cli = Cli::from_arg_matches(&command.get_matches_from(args)).unwrap_or_else(|error| error.exit());
    match &cli.command {
        Command::Flows(args) => return flows::run(args),
        Command::Load(args) => return load::run(args),
        Command::Testhost => return testhost::run(),
        Command::Version(args) => return version::run(args),
        Command::Completions(args) => return completions::run(args, command_line()),
        Command::Man(args) => return completions::man(args, command_line()),
        _ => {}
    }
    logging::init(cli.global.log_format, cli.global.color);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        match cli.command {
            Command::Up(args) => up::run(*args, cli.global.log_format).await,
            Command::Down(args) => down::run(args).await,
            Command::Replica(args) => replica::run(args).await,
            Command::Agent(args) => agent::run(*args, cli.global.log_format).await,
            Command::Gateway(args) => gateway::run(args).await,
            Command::Broker(args) => broker::run(*args).await,
            Command::Review(args) => review::run(&args).await,
            Command::Deploy(args) => deploy::run(args).await,
            Command::DeployCheck(args) => deploycheck::run(*args).await,
            Command::Env(args) => env::run(args).await,
            Command::Key(args) => key::run(args).await,
            Command::Rollout(args) => rollout::run(args).await,
            Command::Rollback(args) => rollout::rollback(args).await,
            Command::Revision(args) => revision::run(args).await,
            Command::Snapshot(args) => snapshot::run(args).await,
            Command::Pipeline(args) => pipeline::run(*args).await,
            Command::Group(args) => group::run(args).await,
            Command::ServerGroup(args) => server_group::run(args).await,
            Command::Placement(args) => placement::run(args).await,
            Command::Host(args) => host::run(args).await,
            Command::Upgrade(args) => upgrade::run(*args).await,
            Command::Scale(args) => scale::run(args).await,
            Command::Health(args) => health::run(args).await,
            Command::Status(args) => status::run(args).await,
            Command::Nodes(args) => nodes::run(args).await,
            Command::Logs(args) => logs::run(args).await,
            Command::Debug(args) => debug::run(args).await,
            Command::Trail(args) => trail::run(args).await,
            Command::Timers(args) => timers::run(args).await,
            Command::Alert(args) => alert::run(args).await,
            Command::Inject(args) => inject::run(args).await,
            Command::DeadLetter(args) => deadletter::run(args).await,
            Command::Pub(args) => pubsub::publish(*args).await,
            Command::Sub(args) => pubsub::subscribe(*args).await,
            Command::User(args) => user::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Login(args) => login::login(args).await,
            Command::Logout(args) => login::logout(args).await,
            Command::Audit(args) => audit::run(args).await,
            Command::Store(args) => store::run(args).await,
            Command::Modules(args) => modules::run(args).await,
            Command::Test(args) => test::run(args).await,
            Command::Context(args) => context::run(args).await,
            Command::Load(_)
            | Command::Flows(_)
            | Command::Testhost
            | Command::Version(_)
            | Command::Completions(_)
            | Command::Man(_) => unreachable!("handled above"),
        }
    });
    // What still runs (a blocked worker, a task of a library) must not hold up the exit.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    code
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    /// What a process is told can be told in a container: by variables, and by the file, whose keys are the flags' names.
    #[test]
    fn every_flag_of_a_process_is_a_variable_of_its_name() {
        let cli = Cli::command();
        let mut without = Vec::new();
        for name in ["up", "replica", "gateway", "broker"] {
            let process = cli.find_subcommand(name).expect("a subcommand");
            for arg in process.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let Some(long) = arg.get_long().filter(|long| !matches!(*long, "help" | "version" | "config")) else {
                    continue;
                };
                let name_of = format!("_{}", long.to_uppercase().replace('-', "_"));
                if arg.get_env().is_none_or(|env| !env.to_string_lossy().ends_with(&name_of)) {
                    without.push(format!("{name} --{long}: {:?}", arg.get_env()));
                }
            }
        }
        assert!(without.is_empty(), "{without:#?}");
    }
}
