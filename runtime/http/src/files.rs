//! Node-RED's `httpStatic`: files that are served where no node answers.

use std::io::ErrorKind;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Either};
use serde_json::Value as Json;
use tower_http::services::ServeDir;

use flotilla_engine::settings::Settings;

use super::answer::{Answer, plain};
use super::auth::Auth;
use super::cors::Cors;

/// The folders of the setting, in the order in which they are tried.
#[derive(Default)]
pub(super) struct Files {
    roots: Vec<Root>,
    /// `httpStaticAuth`: what a request has to show for any of them.
    password: Option<Json>,
}

struct Root {
    /// Where the folder begins in URLs; ends with a slash.
    prefix: String,
    folder: ServeDir,
    cors: Option<Cors>,
}

impl Files {
    /// Reads `httpStatic` (a folder, or a list of folders and of `{path, root, cors}`), `httpStaticRoot`, `httpStaticCors`
    /// and `httpStaticAuth`.
    pub(super) fn read(settings: &Settings) -> Files {
        let setting = |name: &str| settings.node_red.get(name);
        let entries = match setting("httpStatic") {
            Some(Json::Array(list)) => list.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let base = setting("httpStaticRoot").and_then(Json::as_str).unwrap_or_default();
        let roots =
            entries.into_iter().filter_map(|entry| Root::read(entry, base, setting("httpStaticCors"))).collect();
        let password = setting("httpStaticAuth").filter(|auth| auth.is_object()).cloned();
        Files { roots, password }
    }

    /// The file at a path, or the answer that says why it is not given. `None` when there is no such file.
    pub(super) async fn find(&self, method: &Method, uri: &Uri, headers: &HeaderMap, auth: &Auth) -> Option<Answer> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        for root in &self.roots {
            let Some(below) = root.below(uri.path()) else { continue };
            if let Some(refusal) = auth.refuse(self.password.as_ref(), headers).await {
                return Some(refusal);
            }
            if let Some(answer) = root.serve(&below, method, uri, headers).await {
                return Some(answer);
            }
        }
        None
    }
}

impl Root {
    fn read(entry: &Json, base: &str, cors: Option<&Json>) -> Option<Root> {
        let (path, root) = match entry {
            Json::String(path) => (path.as_str(), ""),
            Json::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Json::as_str);
                (text("path")?, text("root").unwrap_or_default())
            }
            _ => return None,
        };
        if path.is_empty() {
            return None;
        }
        let parts = format!("{base}/{root}");
        let prefix: String =
            parts.split('/').filter(|part| !part.is_empty()).fold("/".to_owned(), |at, part| at + part + "/");
        let folder = ServeDir::new(path).redirect_path_prefix(prefix.trim_end_matches('/'));
        Some(Root { prefix, folder, cors: Cors::from_setting(entry.get("cors").or(cors)) })
    }

    /// The path below this root. Express serves no file whose name, or whose folder's name, begins with a dot.
    fn below(&self, path: &str) -> Option<String> {
        let below = match path.strip_prefix(&self.prefix) {
            Some(below) => below,
            None if path == self.prefix.trim_end_matches('/') => "",
            None => return None,
        };
        let decoded = percent_encoding::percent_decode_str(below).decode_utf8_lossy();
        (!decoded.split('/').any(|part| part.starts_with('.'))).then(|| format!("/{below}"))
    }

    async fn serve(&self, below: &str, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Answer> {
        let mut request = http::Request::new(http_body_util::Empty::<bytes::Bytes>::new());
        let target = uri.query().map_or_else(|| below.to_owned(), |query| format!("{below}?{query}"));
        *request.uri_mut() = target.parse().ok()?;
        request.method_mut().clone_from(method);
        request.headers_mut().clone_from(headers);
        let found = self.folder.clone().try_call(request).await;
        let found = match found {
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => return None,
            Ok(answer) => answer,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
                ) =>
            {
                return None;
            }
            Err(error) => {
                let why = format!("The file cannot be read: {}", error.kind());
                return Some(plain(StatusCode::INTERNAL_SERVER_ERROR, why));
            }
        };
        let mut answer = found.map(|file| Either::Right(file.boxed_unsync()));
        name_charset(answer.headers_mut());
        if let Some(cors) = &self.cors {
            answer.headers_mut().extend(cors.headers(headers));
        }
        Some(answer)
    }
}

/// Express's `send` names the character set of text, JSON and JavaScript.
fn name_charset(headers: &mut HeaderMap) {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/") || matches!(kind, "application/json" | "application/javascript");
    if is_text
        && !kind.contains("charset")
        && let Ok(named) = HeaderValue::try_from(format!("{kind}; charset=UTF-8"))
    {
        headers.insert(CONTENT_TYPE, named);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Limited;
    use serde_json::json;

    use super::*;

    fn files(settings: Json) -> Files {
        let Json::Object(node_red) = settings else { panic!("an object") };
        Files::read(&Settings { node_red, ..Settings::default() })
    }

    async fn get(files: &Files, path: &str) -> Option<(u16, String)> {
        let found = files.find(&Method::GET, &path.parse().unwrap(), &HeaderMap::new(), &Auth::default()).await?;
        let status = found.status().as_u16();
        let location = found.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        #[allow(clippy::disallowed_methods, reason = "bounded")]
        let body = Limited::new(found.into_body(), 1 << 16).collect().await.unwrap().to_bytes();
        Some((status, location.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned())))
    }

    #[tokio::test]
    async fn folders_are_served_below_their_roots_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("public/sub")).unwrap();
        for (name, text) in
            [("public/a.txt", "A"), ("public/index.html", "I"), ("public/sub/index.html", "S"), ("secret", "no")]
        {
            std::fs::write(at(name), text).unwrap();
        }
        std::fs::write(at("public/.env"), "no").unwrap();
        let one = files(json!({"httpStatic": at("public"), "httpStaticRoot": "files"}));
        let ok = |text: &str| Some((200, text.to_owned()));
        assert_eq!(get(&one, "/files/a.txt").await, ok("A"));
        assert_eq!(get(&one, "/files/").await, ok("I"));
        assert_eq!(get(&one, "/files/sub").await, Some((307, "/files/sub/".to_owned())));
        for nothing in
            ["/a.txt", "/files/b.txt", "/files/.env", "/files/%2eenv", "/files/../secret", "/files/%2e%2e/secret"]
        {
            assert_eq!(get(&one, nothing).await, None, "{nothing}");
        }
        let list = files(json!({"httpStatic": [{"path": at("public/sub"), "root": "/s/"}, at("public")]}));
        assert_eq!(get(&list, "/s/").await, ok("S"));
        assert_eq!(get(&list, "/a.txt").await, ok("A"));
    }

    #[tokio::test]
    async fn a_password_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "A").unwrap();
        let files = files(json!({"httpStatic": folder.path(), "httpStaticAuth": {"user": "u", "pass": "$2b$08$x"}}));
        assert_eq!(get(&files, "/a").await.map(|(status, _)| status), Some(401));
    }
}
