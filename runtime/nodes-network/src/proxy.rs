//! Which proxy a URL goes through: the http proxy node, or `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`.

use url::Url;

use flotilla_engine::settings::Settings;

/// Where a proxy is and how to name oneself there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// `user:password`.
    pub(crate) credentials: Option<String>,
}

impl Proxy {
    /// A proxy from its URL.
    pub(crate) fn parse(text: &str) -> Option<Proxy> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&full).ok()?;
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default()))
        });
        Some(Proxy {
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default()?,
            tls: url.scheme() == "https",
            credentials,
        })
    }

    /// The proxy of the environment for a URL.
    pub(crate) fn from_env(settings: &Settings, url: &Url) -> Option<Proxy> {
        let var = |name: &str| {
            let found = settings.env_var(name).filter(|text| !text.is_empty());
            found.or_else(|| settings.env_var(&name.to_uppercase())).filter(|text| !text.is_empty())
        };
        if is_excepted(url, &var("no_proxy").unwrap_or_default()) {
            return None;
        }
        let text = var(&format!("{}_proxy", url.scheme())).or_else(|| var("all_proxy"))?;
        Proxy::parse(&text)
    }
}

/// True when `no_proxy` names the URL's host: `*`, `host`, `host:port`, `.suffix`, `*.suffix`.
pub(crate) fn is_excepted(url: &Url, list: &str) -> bool {
    let host = url.host_str().unwrap_or_default().to_lowercase();
    let port = url.port_or_known_default();
    list.split([',', ' ', '\t']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_lowercase();
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, digits)) if digits.parse::<u16>().is_ok() => (name, digits.parse().ok()),
            _ => (entry.as_str(), None),
        };
        if wanted.is_some() && wanted != port {
            return false;
        }
        match name.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None if name.starts_with('.') => host.ends_with(name),
            None => host == name,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions() {
        let url = Url::parse("http://api.example.com:8080/x").unwrap();
        for (list, expected) in [
            ("*", true),
            ("example.com", false),
            (".example.com", true),
            ("*.example.com:8080", true),
            ("api.example.com:80", false),
            ("other, api.example.com", true),
            ("", false),
        ] {
            assert_eq!(is_excepted(&url, list), expected, "{list}");
        }
        let proxy = Proxy::parse("http://u:p%40@proxy:3128").unwrap();
        assert_eq!((proxy.port, proxy.credentials.as_deref()), (3128, Some("u:p@")));
    }
}
