//! Every route as everybody. The table in `docs/rights.md` is what came out: `UPDATE_DOCS=1` writes it.

use std::fmt::Write as _;

use flotilla_api::access::Access;
use flotilla_gateway::admin::api_routes;
use flotilla_group::accounts::UserRecord;
use flotilla_group::rights::Right;

use crate::page::has_table;
use crate::place::Place;

const BEGIN: &str = "<!-- made by gateway/tests/admin/rights.rs -->\n";

/// Who tries: the heading, the roles, for what the token is good, and whether the group is protected.
const WHO: [(&str, &[&str], Access, bool); 10] = [
    ("no token", &[], Access::Write, false),
    ("endpoint", &["endpoint:g"], Access::Write, false),
    ("viewer of another group", &["viewer:other"], Access::Write, false),
    ("viewer", &["viewer:g"], Access::Write, false),
    ("deployer", &["deployer:g"], Access::Write, false),
    ("deployer, protected group", &["deployer:g"], Access::Write, true),
    ("owner", &["owner:g"], Access::Write, true),
    ("admin", &["admin"], Access::Write, true),
    ("admin's reading token", &["admin"], Access::Read, false),
    ("admin's calling token", &["admin"], Access::Call, false),
];

/// A user of one column with a token, until a route changes one of them.
#[derive(Default)]
struct Asker {
    name: String,
    record: Option<UserRecord>,
    id: String,
    token: String,
    /// So many were made.
    made: usize,
}

impl Asker {
    /// Whoever removed themselves, their token or their group leaves nothing behind for the next route: that gets a new user.
    /// All other routes have the same one, since to make one takes longer than to ask.
    async fn make_ready(&mut self, place: &Place, column: usize) {
        let (_, roles, access, _) = WHO[column];
        let same = self.record.is_some()
            && place.accounts.users().find(&self.name).await.unwrap() == self.record
            && place.accounts.tokens().get(&self.id).await.is_ok();
        if same {
            return;
        }
        self.made += 1;
        self.name = format!("user-{column}-{}", self.made);
        place.user(&self.name, roles, None).await;
        self.record = place.accounts.users().find(&self.name).await.unwrap();
        (self.id, self.token) = place.token(&self.name, access, &[]).await;
    }
}

#[tokio::test]
async fn every_route_as_everybody() {
    let place = Place::start().await;
    let mut askers: [Asker; WHO.len()] = std::array::from_fn(|_| Asker::default());
    let mut table = String::from("| route | right |");
    for (who, ..) in WHO {
        write!(table, " {who} |").unwrap();
    }
    table += "\n| --- | --- |";
    table += &" --- |".repeat(WHO.len());
    table.push('\n');
    for route in api_routes() {
        write!(table, "| `{} {}` | {} |", route.method, route.path, route.right.word()).unwrap();
        for (column, (who, _, access, protected)) in WHO.into_iter().enumerate() {
            place.group("g", protected).await;
            let asker = &mut askers[column];
            let mut spare = "1".to_owned();
            if column > 0 {
                asker.make_ready(&place, column).await;
                if route.path.contains("/tokens/") {
                    spare = place.token(&asker.name, access, &[]).await.0;
                }
            }
            let name = if column > 0 { asker.name.as_str() } else { "somebody" };
            let path = route.path.replace("{group}", "g").replace("{user}", name).replace("{what}", "pause");
            let id = if route.path.contains("/tokens/") { &spare } else { "1" };
            let path = path.replace("{id}", id).replace("{to}", "1").replace("{replica}", "r-1");
            let path = path
                .replace("{host}", "h")
                .replace("{stage}", "s")
                .replace("{sha256}", &"a".repeat(64))
                .replace("{index}", "0")
                .replace("{module}", "node-red")
                .replace("{name}", "inject")
                .replace("{number}", "1")
                .replace("{node}", "n1")
                .replace("{kind}", "global")
                .replace("{key}", "k");
            assert!(!path.contains('{'), "{path}: say what stands for the rest");
            let answer = place.ask(route.method.as_str(), &path, &asker.token, "{}").await;
            let cell = match (answer.status, answer.code()) {
                (401, "no_token") => "-",
                (403, "forbidden") => {
                    assert!(answer.body["right"].is_string(), "a refusal names the right that is missing: {answer:?}");
                    "-"
                }
                (404, "not_found") if answer.body["detail"].is_string() => panic!("{path} is not served: {answer:?}"),
                (401, "wrong_token") => panic!("{path} as {who}: the token is void: {answer:?}"),
                (405 | 500.., _) => panic!("{} {path} as {who}: {answer:?}", route.method),
                _ => "yes",
            };
            write!(table, " {cell} |").unwrap();
        }
        table.push('\n');
    }
    has_table("rights.md", BEGIN, &table);
}

#[test]
fn what_is_open_says_nothing_of_a_group() {
    let open: Vec<_> =
        api_routes().into_iter().filter(|route| route.right == Right::Open).map(|route| route.path).collect();
    // Pages look for the session by themselves: see `pages.rs`.
    let (pages, open): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|path| ["/login", "/logout", "/account"].iter().any(|page| path.starts_with(page)));
    assert_eq!(pages.len(), 8);
    assert_eq!(open, ["/api/v1/openapi.json", "/api/v1/docs", "/api/v1/login", "/auth/login", "/auth/token"]);
}
