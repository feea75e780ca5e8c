//! The routes of the admin API, each with the right that it needs: a route cannot be added without one.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use flotilla_group::rights::Right;

use super::api::Api;
use super::guard::{Guard, Post, guard};
use super::route::Route;
use super::versioned::Versioned;
use super::{
    alerts, audit, context, deadletter, deploy, env, groups, hosts, joins, key, logs, members, nodes, openapi,
    pipelines, placement, revisions, rollout, snapshots, status, tokens, trails, transfer, upgrade, users,
};

/// Routes, each with its handler.
#[derive(Default)]
pub(super) struct Routes {
    list: Vec<(Route, MethodRouter<Api>)>,
}

/// All routes of the API, with the right that each needs.
pub fn api_routes() -> Vec<Route> {
    routes().list.into_iter().map(|(route, _)| route).collect()
}

/// All routes, with the right that each needs.
pub(super) fn routes() -> Routes {
    pages(node_red(own(Routes::default())))
}

/// Those of `/api/v1`.
fn own(routes: Routes) -> Routes {
    routes
        .get("/api/v1/openapi.json", Right::Open, openapi::get)
        .get("/api/v1/docs", Right::Open, openapi::get_page)
        .post("/api/v1/login", Right::Open, tokens::login)
        .get("/api/v1/whoami", Right::SignedIn, users::whoami)
        .get("/api/v1/users", Right::Administer, users::list)
        .post("/api/v1/users", Right::Administer, users::add)
        .get("/api/v1/users/{user}", Right::Administer, users::get)
        .of(Versioned::User)
        .delete("/api/v1/users/{user}", Right::Administer, users::remove)
        .of(Versioned::User)
        .put("/api/v1/users/{user}/roles", Right::Administer, users::set_roles)
        .of(Versioned::User)
        .put("/api/v1/users/{user}/password", Right::Account, users::set_password)
        .of(Versioned::User)
        .get("/api/v1/tokens", Right::SignedIn, tokens::list)
        .post("/api/v1/tokens", Right::Account, tokens::make)
        .delete("/api/v1/tokens/{id}", Right::Account, tokens::revoke)
        .unversioned("a token is never changed, and its id is no other's")
        .get("/api/v1/audit", Right::Administer, audit::system)
        .get("/api/v1/audit/chain", Right::Administer, audit::system_chain)
        .get("/api/v1/key", Right::Administer, key::show)
        .post("/api/v1/key/rotate", Right::Administer, key::rotate)
        .post("/api/v1/key/finish", Right::Administer, key::finish)
        .get("/api/v1/status", Right::View, status::status)
        .get("/api/v1/groups", Right::View, groups::list)
        .post("/api/v1/groups", Right::CreateGroup, groups::add)
        .get("/api/v1/groups/{group}", Right::View, groups::get)
        .of(Versioned::Group)
        .put("/api/v1/groups/{group}", Right::Own, groups::replace)
        .of(Versioned::Group)
        .delete("/api/v1/groups/{group}", Right::Own, groups::remove)
        .of(Versioned::Group)
        .get("/api/v1/groups/{group}/replicas", Right::View, status::replicas)
        .get("/api/v1/replicas", Right::View, members::everywhere)
        .put("/api/v1/groups/{group}/members/{replica}", Right::AddReplica, members::add)
        .unversioned("it is refused while the replica is in another group")
        .delete("/api/v1/groups/{group}/members/{replica}", Right::RemoveReplica, members::remove)
        .unversioned("it is refused unless the replica is in this group")
        .get("/api/v1/groups/{group}/join-tokens", Right::Own, joins::list)
        .post("/api/v1/groups/{group}/join-tokens", Right::Own, joins::make)
        .delete("/api/v1/groups/{group}/join-tokens/{id}", Right::Own, joins::revoke)
        .unversioned("a join token is never changed, and its id is no other's")
        .put("/api/v1/groups/{group}/scale", Right::Own, groups::scale)
        .of(Versioned::Group)
        .post("/api/v1/groups/{group}/pause", Right::Deploy, groups::pause)
        .post("/api/v1/groups/{group}/resume", Right::Deploy, groups::resume)
        .get("/api/v1/groups/{group}/placement", Right::View, placement::of_group)
        .post("/api/v1/placement/check", Right::View, placement::check)
        .get("/api/v1/server-groups", Right::View, placement::list)
        .post("/api/v1/server-groups", Right::CreateGroup, placement::add)
        .get("/api/v1/server-groups/{name}", Right::View, placement::get)
        .of(Versioned::ServerGroup)
        .delete("/api/v1/server-groups/{name}", Right::Administer, placement::remove)
        .of(Versioned::ServerGroup)
        .post("/api/v1/server-groups/{name}/groups", Right::CreateGroup, placement::join)
        .get("/api/v1/hosts", Right::View, hosts::list)
        .get("/api/v1/hosts/{host}", Right::View, hosts::get)
        .of(Versioned::Host)
        .delete("/api/v1/hosts/{host}", Right::ManageHost, hosts::remove)
        .of(Versioned::Host)
        .post("/api/v1/hosts/{host}/drain", Right::ManageHost, hosts::drain)
        .of(Versioned::Host)
        .post("/api/v1/hosts/{host}/undrain", Right::ManageHost, hosts::undrain)
        .of(Versioned::Host)
        .get("/api/v1/upgrade", Right::View, upgrade::status)
        .post("/api/v1/upgrade", Right::Administer, upgrade::begin)
        .post("/api/v1/upgrade/cancel", Right::Administer, upgrade::cancel)
        .post("/api/v1/binaries", Right::Administer, upgrade::announce)
        .put("/api/v1/binaries/{sha256}/chunks/{index}", Right::Administer, upgrade::chunk)
        .unversioned("a binary is named by its hash")
        .post("/api/v1/binaries/{sha256}/finish", Right::Administer, upgrade::finish)
        .post("/api/v1/groups/{group}/deploy", Right::Deploy, deploy::deploy)
        .post("/api/v1/groups/{group}/deploy/dry-run", Right::View, deploy::dry_run)
        .get("/api/v1/groups/{group}/transfer", Right::Deploy, transfer::state)
        .post("/api/v1/groups/{group}/transfer", Right::Deploy, transfer::transfer)
        .post("/api/v1/groups/{group}/transfer/dry-run", Right::Deploy, transfer::dry_run)
        .get("/api/v1/groups/{group}/revisions/{id}/transfer", Right::View, transfer::content)
        .get("/api/v1/groups/{group}/env", Right::View, env::list)
        .of(Versioned::Env)
        .put("/api/v1/groups/{group}/env/secrets", Right::Deploy, env::change_secrets)
        .of(Versioned::Env)
        .post("/api/v1/groups/{group}/rollback", Right::Deploy, deploy::rollback)
        .get("/api/v1/groups/{group}/rollout", Right::View, rollout::status)
        .post("/api/v1/groups/{group}/rollout/{what}", Right::Deploy, rollout::change)
        .get("/api/v1/groups/{group}/revisions", Right::View, revisions::list)
        .post("/api/v1/groups/{group}/revisions/copy", Right::Deploy, revisions::copy)
        .get("/api/v1/groups/{group}/revisions/{id}", Right::View, revisions::get)
        .get("/api/v1/groups/{group}/revisions/{id}/diff/{to}", Right::View, revisions::diff)
        .get("/api/v1/groups/{group}/snapshots", Right::View, snapshots::list)
        .post("/api/v1/groups/{group}/snapshots", Right::Deploy, snapshots::add)
        .get("/api/v1/groups/{group}/snapshots/{id}", Right::View, snapshots::get)
        .delete("/api/v1/groups/{group}/snapshots/{id}", Right::Own, snapshots::remove)
        .unversioned("a snapshot is never changed: name it by its number")
        .post("/api/v1/groups/{group}/snapshots/{id}/restore", Right::Deploy, snapshots::restore)
        .post("/api/v1/groups/{group}/snapshots/{id}/export", Right::Deploy, snapshots::export)
        .get("/api/v1/pipelines", Right::SignedIn, pipelines::list)
        .post("/api/v1/pipelines", Right::CreateGroup, pipelines::add)
        .get("/api/v1/pipelines/{name}", Right::SignedIn, pipelines::get)
        .of(Versioned::Pipeline)
        .delete("/api/v1/pipelines/{name}", Right::CreateGroup, pipelines::remove)
        .of(Versioned::Pipeline)
        .put("/api/v1/pipelines/{name}/stages/{stage}/token", Right::CreateGroup, pipelines::set_token)
        .of(Versioned::Pipeline)
        .get("/api/v1/pipelines/{name}/runs", Right::SignedIn, pipelines::runs)
        .post("/api/v1/pipelines/{name}/runs", Right::CreateGroup, pipelines::begin)
        .get("/api/v1/pipelines/{name}/runs/{number}", Right::SignedIn, pipelines::run)
        .post("/api/v1/pipelines/{name}/runs/{number}/{what}", Right::CreateGroup, pipelines::judge)
        .get("/api/v1/groups/{group}/deadletters", Right::View, deadletter::list)
        .get("/api/v1/groups/{group}/deadletters/{id}", Right::View, deadletter::get)
        .of(Versioned::DeadLetter)
        .put("/api/v1/groups/{group}/deadletters/{id}/payload", Right::Deploy, deadletter::edit)
        .of(Versioned::DeadLetter)
        .delete("/api/v1/groups/{group}/deadletters/{id}", Right::Deploy, deadletter::discard)
        .of(Versioned::DeadLetter)
        .post("/api/v1/groups/{group}/deadletters/{id}/replay", Right::Deploy, deadletter::replay)
        .of(Versioned::DeadLetter)
        .get("/api/v1/groups/{group}/nodes", Right::View, nodes::nodes)
        .post("/api/v1/groups/{group}/nodes/{node}/inject", Right::Deploy, nodes::inject)
        .get("/api/v1/groups/{group}/timers", Right::View, nodes::timers)
        .get("/api/v1/groups/{group}/trails", Right::View, trails::list)
        .get("/api/v1/groups/{group}/trails/rule", Right::View, trails::rule)
        .of(Versioned::TrailRule)
        .put("/api/v1/groups/{group}/trails/rule", Right::Deploy, trails::set_rule)
        .of(Versioned::TrailRule)
        .delete("/api/v1/groups/{group}/trails/rule", Right::Deploy, trails::remove_rule)
        .of(Versioned::TrailRule)
        .get("/api/v1/groups/{group}/alerts", Right::View, alerts::list)
        .post("/api/v1/groups/{group}/alerts/test", Right::Own, alerts::test)
        .get("/api/v1/groups/{group}/debug", Right::View, nodes::debug)
        .get("/api/v1/groups/{group}/logs", Right::View, logs::logs)
        .get("/api/v1/groups/{group}/audit", Right::View, audit::of_group)
        .get("/api/v1/groups/{group}/audit/chain", Right::View, audit::chain_of_group)
        .get("/api/v1/groups/{group}/context", Right::View, context::list)
        .put("/api/v1/groups/{group}/context", Right::Deploy, context::set)
        .unversioned("flows write the keys at any time")
}

/// Node-RED's admin API. It is about the gateway's own group.
fn node_red(routes: Routes) -> Routes {
    use super::nodered::{auth, context, flow, flows, info, inject, nodes};
    routes
        .get("/auth/login", Right::Open, auth::login)
        .post("/auth/token", Right::Open, auth::token)
        .post("/auth/revoke", Right::SignedIn, auth::revoke)
        .get("/flows", Right::View, flows::get)
        .post("/flows", Right::Deploy, flows::post)
        .get("/flows/state", Right::View, flows::state)
        .post("/flows/state", Right::Deploy, flows::set_state)
        .post("/flow", Right::Deploy, flow::post)
        .get("/flow/{id}", Right::View, flow::get)
        .put("/flow/{id}", Right::Deploy, flow::put)
        .delete("/flow/{id}", Right::Deploy, flow::delete)
        .get("/settings", Right::SignedIn, info::settings)
        .get("/diagnostics", Right::View, info::diagnostics)
        .get("/nodes", Right::View, nodes::list)
        .post("/nodes", Right::Own, nodes::fixed)
        .get("/nodes/{module}", Right::View, nodes::module)
        .put("/nodes/{module}", Right::Own, nodes::fixed)
        .delete("/nodes/{module}", Right::Own, nodes::fixed)
        .get("/nodes/{module}/{name}", Right::View, nodes::one)
        .put("/nodes/{module}/{name}", Right::Own, nodes::fixed)
        .post("/inject/{id}", Right::Deploy, inject::post)
        .get("/context/global", Right::View, context::global)
        .get("/context/{kind}/{id}", Right::View, context::of_scope)
        .delete("/context/{kind}/{id}", Right::Deploy, context::delete_global)
        .get("/context/{kind}/{id}/{key}", Right::View, context::key_of_scope)
        .delete("/context/{kind}/{id}/{key}", Right::Deploy, context::delete_of_scope)
}

/// Pages for browsers: each looks for the session by itself, so that who has none is sent to sign in.
fn pages(routes: Routes) -> Routes {
    use super::pages::{account, oidc, sign_in};
    routes
        .get("/login", Right::Open, sign_in::form)
        .post("/login", Right::Open, sign_in::sign_in)
        .post("/logout", Right::Open, sign_in::sign_out)
        .get("/login/oidc", Right::Open, oidc::begin)
        .get("/login/oidc/callback", Right::Open, oidc::come_back)
        .get("/account", Right::Open, account::show)
        .post("/account/tokens", Right::Open, account::make_token)
        .post("/account/tokens/{id}/revoke", Right::Open, account::revoke_token)
}

fn is_page(path: &str) -> bool {
    ["/login", "/logout", "/account"]
        .iter()
        .any(|page| path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

impl Routes {
    /// The router: in front of each route its guard.
    pub(super) fn guarded(self, post: &Arc<Post>) -> Router<Api> {
        self.list.into_iter().fold(Router::new(), |router, (Route { method, path, right, versioned }, handler)| {
            let route = Arc::from(format!("{method} {path}"));
            let is_page = is_page(path);
            let of_node_red = !is_page && !path.starts_with("/api/v1/");
            let sentry = Guard { post: post.clone(), right, of_node_red, is_page, route, versioned };
            router.route(path, handler.route_layer(from_fn_with_state(sentry, guard)))
        })
    }

    fn get<H: Handler<T, Api>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Routes {
        self.add(Method::GET, path, right, on(MethodFilter::GET, handler))
    }

    fn post<H: Handler<T, Api>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Routes {
        self.add(Method::POST, path, right, on(MethodFilter::POST, handler))
    }

    fn put<H: Handler<T, Api>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Routes {
        self.add(Method::PUT, path, right, on(MethodFilter::PUT, handler))
    }

    fn delete<H: Handler<T, Api>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Routes {
        self.add(Method::DELETE, path, right, on(MethodFilter::DELETE, handler))
    }

    /// Says what the route before shows or changes the version of.
    fn of(mut self, versioned: Versioned) -> Routes {
        if let Some((route, _)) = self.list.last_mut() {
            route.versioned = Some(versioned);
        }
        self
    }

    /// Says why what the route before changes has no versions.
    fn unversioned(self, why: &'static str) -> Routes {
        self.of(Versioned::No(why))
    }

    fn add(mut self, method: Method, path: &'static str, right: Right, handler: MethodRouter<Api>) -> Routes {
        self.list.push((Route { method, path, right, versioned: None }, handler));
        self
    }
}
