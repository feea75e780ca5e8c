//! Pages as a browser sees them: signing in with a password or an OpenID provider, one's tokens.

use std::collections::BTreeMap;

use flotilla_api::access::Grant;
use flotilla_gateway::admin::SignIn;
use flotilla_gateway::oidc::{OidcConfig, Provider};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::place::{Place, TOKEN};
use crate::provider::{CLIENT, ProviderServer, SECRET};

/// What a browser keeps, as far as these pages need one.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
    /// The last page asked for no referrer: then forms of it come from the origin `null` (Fetch, "append a request Origin
    /// header").
    hides_origin: bool,
}

struct Page {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn location(&self) -> String {
        self.header("location").unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<String> {
        let named = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(named).map(|line| line.split_once(':').unwrap().1.trim().to_owned())
    }

    /// The value of a field of the first form that has it.
    fn field(&self, name: &str) -> String {
        let after = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("the page has the field");
        after.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    async fn get(&mut self, url: &Url) -> Page {
        self.send("GET", url, "", "").await
    }

    async fn post(&mut self, url: &Url, form: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let origin = if self.hides_origin { "null".to_owned() } else { url.origin().ascii_serialization() };
        let origin = format!("Origin: {origin}\r\n");
        self.send("POST", url, &origin, &body).await
    }

    async fn send(&mut self, method: &str, url: &Url, headers: &str, body: &str) -> Page {
        let authority = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let mut stream = TcpStream::connect(&authority).await.unwrap();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let path = &url[url::Position::BeforePath..];
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{cookies}{headers}Content-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.take(1 << 20).read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        for line in head.lines().filter(|line| line.to_ascii_lowercase().starts_with("set-cookie:")) {
            let cookie = line.split_once(':').unwrap().1.trim();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        self.hides_origin = head.to_ascii_lowercase().contains("referrer-policy: no-referrer\r\n");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }
}

fn at(place: &Place, path: &str) -> Url {
    Url::parse(&format!("http://{}{path}", place.admin.address())).unwrap()
}

#[tokio::test]
async fn somebody_signs_in_makes_a_token_and_signs_out() {
    let place = Place::start().await;
    place.user("ann", &["owner:g"], Some("a long password")).await;
    let mut browser = Browser::default();
    assert_eq!(browser.get(&at(&place, "/account")).await.location(), "/login");
    let form = browser.get(&at(&place, "/login")).await;
    assert!(form.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let wrong = browser.post(&at(&place, "/login"), &[("user", "ann"), ("password", "<b>")]).await;
    assert!(wrong.status == 403 && browser.cookies.is_empty() && !wrong.body.contains("<b>"), "{}", wrong.body);
    let signed_in = browser.post(&at(&place, "/login"), &[("user", "ann"), ("password", "a long password")]).await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/account".to_owned()));
    let cookie = signed_in.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let account = browser.get(&at(&place, "/account")).await;
    assert!(account.body.contains("owner:g"), "{}", account.body);
    let csrf = account.field("csrf");
    let fields = [("name", "<i>ci"), ("access", "read"), ("days", "7")];
    for bad in [[("access", ""), ("days", "7")], [("access", "read"), ("days", "8")]] {
        let page = browser.post(&at(&place, "/account/tokens"), &[&bad[..], &[("csrf", &csrf)]].concat()).await;
        assert_eq!(page.status, 400, "{bad:?}");
    }
    let forged = browser.post(&at(&place, "/account/tokens"), &fields).await;
    assert_eq!(forged.status, 403, "a form without the session's own text");
    let made = browser.post(&at(&place, "/account/tokens"), &[&fields[..], &[("csrf", &csrf)]].concat()).await;
    let secret = made.body.split("id=\"token\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(made.body.contains("&lt;i&gt;ci") && !made.body.contains("<i>ci"));
    assert!(!browser.get(&at(&place, "/account")).await.body.contains(&secret), "it is shown once");
    let whoami = place.ask("GET", "/api/v1/whoami", &secret, "").await;
    assert_eq!((&whoami.body["name"], &whoami.body["access"]), (&json!("ann"), &json!("read")));
    let id = secret.split('_').nth(1).unwrap();
    let revoked = browser.post(&at(&place, &format!("/account/tokens/{id}/revoke")), &[("csrf", &csrf)]).await;
    assert_eq!(revoked.status, 303);
    assert_eq!(place.ask("GET", "/api/v1/whoami", &secret, "").await.status, 401);

    // The API knows the session as well; a change needs what only our own pages know.
    assert_eq!(browser.get(&at(&place, "/api/v1/groups/g")).await.status, 200);
    let url = at(&place, "/api/v1/groups/g/pause");
    let change = browser.send("POST", &url, "", "{}").await;
    assert_eq!(change.status, 403, "{}", change.body);
    assert!(change.body.contains("\"csrf\""), "{}", change.body);
    let other = "Content-Type: application/json\r\nX-CSRF-Token: x\r\n";
    assert_eq!(browser.send("POST", &url, other, "{}").await.status, 403);

    assert_eq!(browser.post(&at(&place, "/logout"), &[]).await.status, 403);
    let kept = browser.cookies.clone();
    assert_eq!(browser.post(&at(&place, "/logout"), &[("csrf", &csrf)]).await.location(), "/login");
    assert!(browser.cookies.is_empty());
    let mut stolen = Browser { cookies: kept, ..Browser::default() };
    assert_eq!(stolen.get(&at(&place, "/account")).await.location(), "/login", "the cookie is void as well");
    let log = place.ask("GET", "/api/v1/audit", TOKEN, "").await;
    let of = |event: &str| {
        log.body
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == event && entry["source"] == "page")
            .count()
    };
    assert_eq!((of("login"), of("token-new"), of("token-revoke"), of("logout")), (2, 1, 1, 1), "{:#}", log.body);
}

async fn with_provider(provider: &ProviderServer) -> Place {
    let config = OidcConfig {
        issuer: provider.issuer.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.to_owned()),
        redirect: "http://localhost/login/oidc/callback".to_owned(),
        name_claim: "preferred_username".to_owned(),
        roles_claim: "realm.roles".to_owned(),
        scopes: Vec::new(),
        ca: None,
    };
    let grant = |role: &str| role.parse::<Grant>().unwrap();
    let roles = vec![("ops".to_owned(), grant("owner:g")), ("dev".to_owned(), grant("viewer"))];
    Place::start_with(Some(SignIn::new(Provider::new(config).unwrap(), roles))).await
}

/// Where the provider sends a browser back to: the gateway, which is at another port than it was said to be.
async fn back(place: &Place, begun: &Page) -> Url {
    let sent = Browser::default().get(&begun.location().parse().unwrap()).await.location();
    at(place, &Url::parse(&sent).unwrap()[url::Position::BeforePath..])
}

/// Goes to the provider and comes back.
async fn sign_in(place: &Place, browser: &mut Browser) -> Page {
    let begun = browser.get(&at(place, "/login/oidc")).await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    browser.get(&back(place, &begun).await).await
}

#[tokio::test]
async fn a_provider_says_who_somebody_is_and_what_they_may_do() {
    let provider = ProviderServer::start().await;
    let place = with_provider(&provider).await;
    place.user("bob", &["admin"], Some("a long password")).await;
    let claims = |sub: &str, name: &str, roles: &[&str]| json!({"sub": sub, "preferred_username": name, "realm": {"roles": roles}});
    let mut browser = Browser::default();
    assert!(browser.get(&at(&place, "/login")).await.body.contains(&provider.issuer));

    provider.next(claims("7", "ann@plant.example", &["ops", "other"]));
    assert_eq!(sign_in(&place, &mut browser).await.location(), "/account");
    let account = browser.get(&at(&place, "/account")).await;
    assert!(account.body.contains("ann-plant.example") && account.body.contains("owner:g"), "{}", account.body);

    // A role that was given here stays, as that of a group that one made.
    place.accounts.users().grant("ann-plant.example", &"owner:other".parse().unwrap()).await.unwrap();
    // Roles are what the provider says each time; a key that it did not have is asked for.
    provider.change_key("2");
    provider.next(claims("7", "ann@plant.example", &["dev"]));
    let before = provider.asked_for_keys();
    assert_eq!(sign_in(&place, &mut browser).await.location(), "/account");
    assert_eq!(provider.asked_for_keys(), before + 1);
    let account = browser.get(&at(&place, "/account")).await;
    assert!(account.body.contains("viewer") && !account.body.contains("owner:g"), "{}", account.body);
    assert!(account.body.contains("owner:other"), "{}", account.body);

    let refused: [(&str, Value); 9] = [
        ("a name of which nothing is left", claims("8", "王伟", &["ops"])),
        ("no role", claims("8", "carl", &["other"])),
        ("no claim", json!({"sub": "9"})),
        ("another one of that name", claims("8", "ann@plant.example", &["ops"])),
        ("a user of our own", claims("8", "bob", &["ops"])),
        ("a name of ours", claims("8", "admin", &["ops"])),
        ("for another client", json!({"aud": "other", "preferred_username": "eve", "realm": {"roles": ["ops"]}})),
        ("expired", json!({"exp": 1, "preferred_username": "eve", "realm": {"roles": ["ops"]}})),
        ("of another sign-in", json!({"nonce": "x", "preferred_username": "eve", "realm": {"roles": ["ops"]}})),
    ];
    for (why, claims) in refused {
        provider.next(claims);
        let mut browser = Browser::default();
        let page = sign_in(&place, &mut browser).await;
        assert!(
            (400..500).contains(&page.status) && browser.cookies.is_empty(),
            "{why}: {} {}",
            page.status,
            page.body
        );
        assert!(page.body.contains("class=\"no\""), "{why}: {}", page.body);
    }
    let names: Vec<String> = place.accounts.users().list().await.unwrap().into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["ann-plant.example", "bob"]);
}

#[tokio::test]
async fn a_sign_in_is_that_of_the_browser_that_began_it_and_only_once() {
    let provider = ProviderServer::start().await;
    let place = with_provider(&provider).await;
    provider.next(json!({"sub": "7", "preferred_username": "ann", "realm": {"roles": ["ops"]}}));
    let mut browser = Browser::default();
    let begun = browser.get(&at(&place, "/login/oidc")).await;
    let back = back(&place, &begun).await;
    // A link that somebody else was given: they would sign in as ann.
    let mut other = Browser::default();
    assert_eq!(other.get(&back).await.status, 403);
    assert!(other.cookies.is_empty());
    let cookies = browser.cookies.clone();
    assert_eq!(browser.get(&back).await.location(), "/account");
    let mut again = Browser { cookies, ..Browser::default() };
    assert_eq!(again.get(&back).await.status, 403);
    // Refused by the provider, or by the user there.
    let begun = browser.get(&at(&place, "/login/oidc")).await;
    let state =
        Url::parse(&begun.location()).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let denied =
        at(&place, &format!("/login/oidc/callback?state={state}&error=access_denied&error_description=%3Cb%3E"));
    let page = browser.get(&denied).await;
    assert!(page.status == 403 && page.body.contains("access_denied") && !page.body.contains("<b>"), "{}", page.body);
}
