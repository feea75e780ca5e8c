//! Starts everything, keeps it running, drains it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use flotilla_api::health::summary;
use flotilla_broker::{Account, Broker};
use flotilla_flows::{Document, shown_url};
use flotilla_group::GroupError;
use flotilla_group::member::{Registry, ReplicaState};
use flotilla_group::spec::Specs;
use flotilla_http::node_root;
use flotilla_store::Store;

use super::args::UpArgs;
use super::banner::{Running, banner};
use super::begin::{Begun, begin};
use super::dir;
use super::forget::forget;
use super::host::{HostParts, OwnHost};
use super::link_account;
use super::open::{Missing, Opened, open};
use super::reach::unreached;
use super::scrape;
use super::secret;
use super::users;
use crate::audit::HEADS_FILE;
use crate::broker::status_routes;
use crate::crew::Ended;
use crate::exit::{Exit, Failure};
use crate::flow_files;
use crate::gateway::{Gateway, GatewayParts};
use crate::known_up;
use crate::logging::{self, LogFormat};
use crate::plain::print;
use crate::process::{Metrics, READY, STOPPING, Shutdown, notify};
use crate::tls::GatewayTls;

/// How long the replicas get to become ready before the banner is printed all the same.
const START: Duration = Duration::from_secs(20);
/// Where flows serve HTTP when nothing says it.
const HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1880);
/// How many replicas a new group has.
const REPLICAS: u16 = 3;
/// How long they get after that to connect to what the flow is connected to, before the banner says that they are not.
const CONNECT: Duration = Duration::from_secs(2);
/// How much longer than its own drain time-out a replica gets before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Runs until a signal; then drains and exits 0. A second signal exits at once.
pub async fn run(args: UpArgs, log_format: LogFormat) -> anyhow::Result<ExitCode> {
    if args.forget {
        return forget(&args).await;
    }
    let (args, user_dir) = dir::open(args)?;
    let mut signals = Shutdown::listen()?;
    logging::set_who(|who| (who.group, who.replica) = (args.engine.group.clone(), "up".to_owned()));
    let metrics = Metrics::install()?;
    let drain =
        Duration::try_from_secs_f64(args.engine.drain_timeout).context("--drain-timeout must be 0 or more seconds")?;
    let given = flow_files::read_runnable(&args.flows, &args.flow, args.engine.allow_unknown)?;
    let tls = tls(&args)?;
    let Opened { held, store, keys, key, url, path } = open(&args, Missing::Made).await?;
    let admin_token = secret::admin_token(args.admin_token.as_deref(), &args.data)?;
    let admin_token = if args.users { admin_token.only_to_begin() } else { admin_token };
    let account = link_account::account(&args, &given.settings);
    let broker = if args.no_broker { None } else { Some(start_broker(&args, account.clone()).await?) };
    if let Some(view) = broker.as_ref().map(Broker::view) {
        metrics.also(move || view.group_metrics());
    }
    let scraped = Registry::new(store.clone(), &args.engine.group)?;
    metrics.gather(move || Box::pin(scrape::replicas(scraped.clone())));
    let mqtt = broker.as_ref().map(Broker::tcp_addr);
    let waiting = broker.as_ref().map(Broker::view);
    let project_broker = args.engine.project_broker.clone().or_else(|| mqtt.map(|at| link_account::door(&account, at)));
    let backlog = Arc::new(move |group: &str| waiting.as_ref().map_or(0, |view| oldest_waiting(&view.status(), group)));
    let gateway = Gateway::start(GatewayParts {
        store: store.clone(),
        group: args.engine.group.clone(),
        http: args.http.unwrap_or(HTTP),
        admin: args.admin,
        admin_token: Some(admin_token),
        failfast: START,
        door: args.door.clone(),
        logs: args.data.join("logs"),
        alert_secret: args.alert_secret.clone(),
        backlog,
        allow_unknown: args.engine.allow_unknown,
        keys: keys.clone(),
        project_broker: project_broker.clone(),
        audit_heads: Some(args.data.join(HEADS_FILE)),
        also: broker.as_ref().map(|broker| status_routes(broker.view())).unwrap_or_default(),
        tls: tls.clone(),
        sign_in: args.oidc.clone().load()?,
        metrics,
    })
    .await?;
    let (http_scheme, admin_scheme) = (scheme(tls.http.is_some()), scheme(tls.admin.is_some()));
    held.tell(&format!("{}{}", if tls.admin.is_some() { "https://" } else { "" }, gateway.admin()))?;
    if let Err(error) = known_up::note(gateway.admin().port(), &args.data) {
        tracing::debug!("commands with --admin need --data, too, to find the admin token: {error:#}");
    }
    let notes = dir::notes(user_dir, &store, &args.engine.group).await?;
    let replicas = size(&store, &args).await?;
    let Begun { id, revision, note } = begin(&store, &args, given, &key).await?;
    let mut document = Document::from_value(revision.flows)?;
    document.set_node_settings(&revision.nodes);
    let root = node_root(&revision.settings).unwrap_or_default();

    let parts = HostParts {
        args: &args,
        store: store.clone(),
        own_store: args.store.is_none(),
        url,
        keys,
        project_broker,
        patience: drain + GRACE,
        format: log_format,
        ended: broker
            .as_ref()
            .map(Broker::view)
            .map_or_else(Ended::default, |view| Ended::tell(move |process| view.process_ended(process))),
    };
    let host = tokio::select! {
        host = OwnHost::start(parts) => host?,
        () = signals.next() => bail!("stopped before the replicas were started"),
    };
    let registry = Registry::new(store.clone(), &args.engine.group)?;
    let started = tokio::select! {
        started = wait_until_ready(&registry, &id, usize::from(replicas)) => started,
        () = signals.next() => Err(anyhow::anyhow!("stopped before the replicas were ready")),
    };
    let code = match started {
        Ok(()) => {
            let running = Running {
                flows: args.given(),
                group: &args.engine.group,
                revision: &id,
                state: connected(&registry).await,
                mqtt,
                http: format!("{http_scheme}://{}", gateway.http()),
                root,
                admin: format!("{admin_scheme}://{}", gateway.admin()),
                store: store_shown(&args, &path),
            };
            let mut text = banner(&running, &document);
            if args.users {
                text += &users::advice(&store).await?;
            }
            for line in unreached(&document, mqtt).await.into_iter().chain(notes).chain(note) {
                text += &format!("! {}\n", line.trim_end().replace('\n', "\n  "));
            }
            print(&text);
            notify(READY);
            tokio::select! {
                () = signals.next() => ExitCode::SUCCESS,
                code = host.lost() => code,
            }
        }
        Err(error) => {
            host.leave(drain + GRACE).await;
            return Err(error);
        }
    };
    notify(STOPPING);
    tracing::info!("drains; Ctrl-C again stops at once");
    let stopped = async {
        host.leave(drain + GRACE).await;
        gateway.shutdown().await;
        if let Some(broker) = broker {
            broker.shutdown(GRACE).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = signals.next() => tracing::warn!("asked again: stops at once"),
    }
    Ok(code)
}

/// TLS of flow traffic; of the admin API, too, where other machines reach it.
fn tls(args: &UpArgs) -> anyhow::Result<GatewayTls> {
    let (admin, local) = (args.admin, args.admin.ip().is_loopback());
    if local && args.tls.asks_admin_clients() {
        let why = format!(
            "--admin-client-ca has no effect: the admin API is at {admin} (--admin), on loopback, without TLS and without \
             client certificates; leave it out, or give --admin an address that other machines reach"
        );
        return Err(Failure::new(Exit::Usage, why).into());
    }
    let both = match &args.https {
        Some(https) if !args.tls.is_given() => {
            GatewayTls::of_setting(https).map_err(|error| Failure::new(Exit::Usage, format!("{error:#}")))?
        }
        _ => args.tls.load()?,
    };
    Ok(GatewayTls { admin: both.admin.filter(|_| !local), ..both })
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

/// How long the oldest message of a group waits at the broker, milliseconds. Its share names are the group's name, with more
/// behind it for a second broker node.
fn oldest_waiting(status: &flotilla_broker::Status, group: &str) -> u64 {
    let of_group =
        status.groups.iter().filter(|share| share.name == group || share.name.starts_with(&format!("{group}-")));
    of_group.filter_map(|share| share.oldest).max().map_or(0, |age| age.as_millis() as u64)
}

/// The store for people; a URL without the password that it may have.
fn store_shown(args: &UpArgs, path: &Path) -> String {
    let Some(url) = &args.store else { return path.display().to_string() };
    shown_url(url)
}

/// How many replicas are to run: as asked for, as the group had, or three.
async fn size(store: &Arc<dyn Store>, args: &UpArgs) -> anyhow::Result<u16> {
    let specs = Specs::new(store.clone());
    let before = match specs.get(&args.engine.group).await {
        Ok(spec) => Some(spec.replicas).filter(|replicas| *replicas > 0),
        Err(GroupError::NoGroup(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let replicas = args.replicas.or(before).unwrap_or(REPLICAS);
    specs.scale(&args.engine.group, replicas).await?;
    Ok(replicas)
}

pub(super) async fn start_broker(args: &UpArgs, account: Account) -> anyhow::Result<Broker> {
    let config = flotilla_broker::Config {
        listen: args.mqtt,
        allow_anonymous: args.mqtt_allow_anonymous,
        persist: args.mqtt_persist.clone(),
        accounts: vec![account],
        ..flotilla_broker::Config::default()
    };
    Broker::start(config)
        .await
        .context("cannot start the broker: choose another --mqtt or --mqtt-persist, or --no-broker")
}

/// How the replicas are, once they had time to connect.
async fn connected(registry: &Registry) -> String {
    let deadline = Instant::now() + CONNECT;
    loop {
        let members = registry.list().await.unwrap_or_default();
        if Instant::now() > deadline || members.iter().all(|member| member.health.lost().next().is_none()) {
            return summary(members.iter());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every replica runs the revision; a replica that says it cannot is the reason to stop.
async fn wait_until_ready(registry: &Registry, revision: &str, replicas: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    loop {
        let members = registry.list().await?;
        if let Some(failed) = members.iter().find(|member| member.state == ReplicaState::Failed) {
            bail!("{}", failed.reason);
        }
        let ready = members.iter().filter(|member| member.state == ReplicaState::Ready && member.revision == revision);
        if ready.count() >= replicas {
            return Ok(());
        }
        if Instant::now() > deadline {
            tracing::warn!("not every replica became ready within {} s; see the log lines above", START.as_secs());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
