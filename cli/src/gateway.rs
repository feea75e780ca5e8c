//! `flotilla gateway`: the HTTP front door.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use clap::Args;
use flotilla_gateway::admin::{Admin, Api, Logs, NodeTypes, SignIn, Token};
use flotilla_gateway::alerts::{Backlog, Gauges, Watcher};
use flotilla_gateway::balancer::{Balancer, BalancerConfig, Callers, Deadlines, Meters, Misses, Pool};
use flotilla_gateway::logs::{LogFiles, Retention, collect};
use flotilla_gateway::pipeline::PipelineDriver;
use flotilla_gateway::{directory, follow_pauses, heads};
use flotilla_group::Driver;
use flotilla_group::accounts::Accounts;
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::{Gateways, Roster};
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_store::{Metered, Store};
use flotilla_tasks::Task;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::door::DoorArgs;
use crate::group_key::old_key;
use crate::left_sessions::LeftSessions;
use crate::logging;
use crate::oidc::OidcArgs;
use crate::process::{Metrics, Ops, Readiness, Shutdown};
use crate::store_url::StoreUrl;
use crate::tls::{GatewayTls, TlsArgs};

/// How long open requests get when the gateway stops.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the upgrade lease outlives a gateway that dies while it drives a rollout.
const LEASE: Duration = Duration::from_secs(5);

/// What `flotilla gateway` takes.
#[derive(Args, Debug)]
pub struct GatewayArgs {
    /// Group whose replicas get the requests
    #[arg(long, env = "FLOTILLA_GROUP", default_value = "default", value_name = "NAME")]
    group: String,
    #[command(flatten)]
    at: StoreUrl,
    /// Where clients of the flow's HTTP nodes connect
    #[arg(long, env = "FLOTILLA_HTTP", default_value = "127.0.0.1:1880", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    http: SocketAddr,
    /// Where the admin API listens, with /livez, /readyz and /metrics; loopback only, unless there is an --admin-token
    #[arg(long, env = "FLOTILLA_ADMIN", default_value = "127.0.0.1:1881", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    admin: SocketAddr,
    /// Token of the admin API
    #[arg(long, env = "FLOTILLA_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Folder for the log lines of all replicas: at most 7 days and 1 GiB
    #[arg(long, env = "FLOTILLA_LOGS", default_value = ".flotilla/logs", value_name = "DIR")]
    logs: PathBuf,
    /// Secret that signs alerts to the webhooks of groups
    #[arg(long, env = "FLOTILLA_ALERT_SECRET", value_name = "SECRET", hide_env_values = true)]
    alert_secret: Option<String>,
    #[command(flatten)]
    door: DoorArgs,
    /// Deploy flows with unknown node types; such nodes drop messages and show it
    #[arg(long, env = "FLOTILLA_ALLOW_UNKNOWN")]
    allow_unknown: bool,
    /// File to which the audit log's signatures are appended: `flotilla audit verify --heads` compares the store with it
    #[arg(long, env = "FLOTILLA_AUDIT_HEADS", value_name = "FILE")]
    audit_heads: Option<PathBuf>,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    oidc: OidcArgs,
    /// The group's key: credentials of deploys are kept encrypted with it
    #[arg(long, env = "FLOTILLA_GROUP_KEY", value_name = "KEY", hide_env_values = true)]
    group_key: Option<String>,
}

/// A gateway that serves.
pub struct Gateway {
    balancer: Balancer,
    admin: Admin,
    follow: DropGuard,
    drive: DropGuard,
}

/// What a gateway is started with.
pub struct GatewayParts {
    /// The store with the registry.
    pub store: Arc<dyn Store>,
    /// The group.
    pub group: String,
    /// Where flow traffic comes in.
    pub http: SocketAddr,
    /// Where the admin API is.
    pub admin: SocketAddr,
    /// What clients of the admin API have to show; without it only this machine's are answered.
    pub admin_token: Option<Token>,
    /// How long requests wait for a ready replica, unless the door's arguments say it.
    pub failfast: Duration,
    /// What alerts are signed with.
    pub alert_secret: Option<String>,
    /// How long the oldest message of a group waits at the broker of this process.
    pub backlog: Backlog,
    /// Where log lines are kept.
    pub logs: PathBuf,
    /// Bounds of the front door.
    pub door: DoorArgs,
    /// Deploys may use node types that are not known here.
    pub allow_unknown: bool,
    /// The group's keys, for credentials of deploys.
    pub keys: KeyRing,
    /// Where project links meet, with user and password.
    pub project_broker: Option<String>,
    /// TLS of the two addresses.
    pub tls: GatewayTls,
    /// Another system that says who somebody is.
    pub sign_in: Option<SignIn>,
    /// Where checkpoints of the audit log go, beside the log lines.
    pub audit_heads: Option<PathBuf>,
    /// Served beside `/metrics`.
    pub also: Router,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

impl Gateway {
    /// Starts the balancer and the admin API.
    pub async fn start(parts: GatewayParts) -> anyhow::Result<Gateway> {
        let roster = Roster::new(parts.store.clone(), &parts.group)?;
        let gateways = Gateways::new(parts.store.clone(), &parts.group)?.holding(parts.keys.clone());
        let id = format!("gateway-{}-{}", std::process::id(), flotilla_engine::message::generate_id());
        let driver = Driver::new(parts.store.clone(), &parts.group, &id, LEASE)?;
        let known = flotilla_runtime::types().names().map(str::to_owned).collect();
        let audited = parts.store.clone();
        let left = LeftSessions::new(parts.store.clone(), parts.keys.clone(), parts.project_broker);
        let types = NodeTypes { known, allow_unknown: parts.allow_unknown };
        let desired = DesiredStates::new(parts.store.clone(), &parts.group)?;
        let pauses = (parts.store.clone(), desired);
        let drive = CancellationToken::new();
        let logs = collected(&parts.store, &parts.logs, &drive);
        let alert_secret: Option<Arc<str>> = parts.alert_secret.map(Arc::from);
        let gauges = Arc::new(Gauges::default());
        let watcher = Watcher {
            store: parts.store.clone(),
            holder: id.clone(),
            secret: alert_secret.clone(),
            backlog: parts.backlog,
            gauges: gauges.clone(),
        };
        watcher.start(drive.clone());
        parts.metrics.also(move || gauges.render());
        let api = Api::new(parts.store, &parts.group, types, parts.keys);
        let api = api.with_logs(logs).with_alert_secret(alert_secret).with_sign_in(parts.sign_in);
        let misses = Arc::new(Misses::default());
        let api = api.with_session_ender(Arc::new(left)).with_misses(misses.clone());
        let program = std::env::current_exe().context("cannot find this program's file")?;
        let pipelines = PipelineDriver::new(api.clone(), &id, program);
        let pool = Pool::new(Balancer::threads());
        let meters = Arc::new(Meters::default());
        let callers = Callers::new(parts.door.protection(), Accounts::new(audited.clone()), &parts.group);
        let config = BalancerConfig {
            callers: Some(Arc::new(callers)),
            misses,
            tls: parts.tls.http.clone(),
            listen: parts.http,
            deadlines: parts.door.deadlines(parts.failfast)?,
            trusted: parts.door.trust_proxy,
            max_connections: parts.door.max_connections,
        };
        let balancer = Balancer::start(config, pool.clone(), meters.clone()).context("choose another --http")?;
        let shown = pool.clone();
        parts.metrics.also(move || meters.render(&shown));
        let readiness = Readiness::new("replicas", "none is ready");
        let routes = Ops::routes(readiness.clone(), parts.metrics).merge(parts.also);
        let admin = Admin::start(parts.admin, parts.tls.admin.clone(), parts.admin_token, api, routes)
            .await
            .context("choose another --admin")?;
        let task = Task {
            name: "rollout driver",
            owner: id.as_str().into(),
            ends: "the gateway stops",
            failure: "a rollout that it drove is driven by a replica when the lease has run out",
        };
        task.spawn(driver.run(drive.clone()));
        for tls in [&parts.tls.http, &parts.tls.admin].into_iter().flatten() {
            tls.follow(drive.clone());
        }
        heads::export(audited, &parts.group, parts.audit_heads, drive.clone())?;
        let task = Task {
            name: "pipelines",
            owner: id.as_str().into(),
            ends: "the gateway stops",
            failure: "runs of pipelines wait for another gateway",
        };
        task.spawn(pipelines.run(drive.clone()));
        let task = Task {
            name: "pauses",
            owner: id.as_str().into(),
            ends: "the gateway stops",
            failure: "a pause of the group is not seen here: requests wait for a replica and are answered 503",
        };
        let (ended, paused) = (drive.clone(), pool.clone());
        task.spawn(async move {
            tokio::select! {
                () = follow_pauses(pauses.0, pauses.1, paused) => {}
                () = ended.cancelled() => {}
            }
        });
        let follow = directory::follow(roster, gateways, id, pool, move |ready| match ready {
            0 => readiness.waiting("replicas", "none is ready"),
            _ => readiness.ready("replicas"),
        });
        Ok(Gateway { balancer, admin, follow: follow.drop_guard(), drive: drive.drop_guard() })
    }

    /// Where flow traffic comes in.
    pub fn http(&self) -> SocketAddr {
        self.balancer.address()
    }

    /// Where the admin API is.
    pub fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Lets open requests finish, then stops.
    pub async fn shutdown(self) {
        self.balancer.shutdown(DRAIN).await;
        drop(self.follow);
        drop(self.drive);
        drop(self.admin);
    }
}

/// Collects the log lines of all replicas, and of this process; `None` when they cannot be kept.
fn collected(store: &Arc<dyn Store>, folder: &Path, stop: &CancellationToken) -> Option<Logs> {
    let files = match LogFiles::open(folder, Retention::default()) {
        Ok(files) => Arc::new(files),
        Err(error) => {
            tracing::warn!("this gateway collects no log lines: {error}");
            return None;
        }
    };
    let sources = Arc::default();
    collect(store, &files, &sources, stop);
    let task = Task {
        name: "log lines of this process",
        owner: "gateway".into(),
        ends: "the gateway stops",
        failure: "the collected log lines are those of the replicas only",
    };
    drop(task.spawn(logging::keep(files.clone(), stop.clone())));
    Some(Logs { files, sources })
}

/// Runs until a signal.
pub async fn run(args: GatewayArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    logging::set_who(|who| (who.group, who.replica) = (args.group.clone(), "gateway".to_owned()));
    let admin_token = args.admin_token.as_deref().map(Token::new).transpose().context("see --admin-token")?;
    let store = flotilla_store::open(&args.at.store).await.context("cannot open the store; see --store")?;
    let store = Metered::over(store);
    let keys = KeyRing::new(store.clone(), args.group_key.as_deref(), Restart::Given);
    keys.keys().await.map_err(old_key)?;
    let gateway = Gateway::start(GatewayParts {
        store,
        keys,
        project_broker: None,
        group: args.group,
        allow_unknown: args.allow_unknown,
        audit_heads: args.audit_heads,
        tls: args.tls.load()?,
        sign_in: args.oidc.load()?,
        http: args.http,
        admin: args.admin,
        admin_token,
        failfast: Deadlines::default().failfast,
        door: args.door,
        logs: args.logs,
        also: Router::new(),
        alert_secret: args.alert_secret,
        backlog: Arc::new(|_| 0),
        metrics: Metrics::install()?,
    })
    .await?;
    tracing::info!(http = %gateway.http(), admin = %gateway.admin(), "gateway serves");
    signals.next().await;
    tokio::select! {
        () = gateway.shutdown() => {}
        () = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}
