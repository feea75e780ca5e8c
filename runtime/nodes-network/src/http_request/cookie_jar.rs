//! The cookies of one request and its redirects.

use url::Url;

/// One cookie: whom it goes to.
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
}

/// Cookies by RFC 6265, for the life of one request.
#[derive(Default)]
pub(super) struct CookieJar {
    cookies: Vec<Cookie>,
}

impl CookieJar {
    /// Takes a `Set-Cookie` line that came from, or is meant for, a URL.
    pub(super) fn set(&mut self, line: &str, url: &Url) {
        let mut parts = line.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let path = url.path().rfind('/').filter(|at| *at > 0).map_or("/", |at| &url.path()[..at]).to_owned();
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        let mut cookie = Cookie { name, value, domain: host.clone(), host_only: true, path, secure: false };
        let mut gone = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim_start_matches('.').to_lowercase();
                    if !domain.is_empty() {
                        if host != domain && !host.ends_with(&format!(".{domain}")) {
                            return;
                        }
                        (cookie.domain, cookie.host_only) = (domain, false);
                    }
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "max-age" => gone = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                "expires" => {
                    let past = httpdate::parse_http_date(value).is_ok_and(|time| time < std::time::SystemTime::now());
                    gone = gone || past;
                }
                _ => {}
            }
        }
        self.cookies
            .retain(|known| known.name != cookie.name || known.domain != cookie.domain || known.path != cookie.path);
        if !gone {
            self.cookies.push(cookie);
        }
    }

    /// The `Cookie` header for a URL; `None` without cookies.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|cookie| {
                let domain =
                    host == cookie.domain || (!cookie.host_only && host.ends_with(&format!(".{}", cookie.domain)));
                let path = url.path() == cookie.path
                    || (url.path().starts_with(&cookie.path)
                        && (cookie.path.ends_with('/') || url.path()[cookie.path.len()..].starts_with('/')));
                domain && path && (!cookie.secure || url.scheme() == "https")
            })
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_where_they_belong() {
        let url = Url::parse("http://a.example/x/y").unwrap();
        let mut jar = CookieJar::default();
        jar.set("a=1", &url);
        jar.set("b=2; Path=/", &url);
        jar.set("c=3; Domain=other.example", &url);
        jar.set("d=4; Secure; Path=/", &url);
        assert_eq!(jar.header(&url).as_deref(), Some("a=1; b=2"));
        assert_eq!(jar.header(&Url::parse("http://a.example/").unwrap()).as_deref(), Some("b=2"));
        assert_eq!(jar.header(&Url::parse("http://b.example/").unwrap()), None);
        jar.set("b=; Path=/; Max-Age=0", &url);
        assert_eq!(jar.header(&Url::parse("http://a.example/").unwrap()), None);
    }
}
