//! Certificates and keys from files, variables or credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use flotilla_engine::NodeCx;

/// PEM texts, and the passphrase of the key.
#[derive(Default)]
pub(super) struct Materials {
    pub(super) cert: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) ca: Option<Vec<u8>>,
    /// A PKCS #12 file instead of them.
    pub(super) pfx: Option<Vec<u8>>,
    /// Of the key, or of the PKCS #12 file.
    pub(super) passphrase: Option<String>,
}

impl Materials {
    /// Variables or a PKCS #12 file when the node says so (Node-RED 5), files when it names any, else what was uploaded.
    pub(super) fn read(cx: &NodeCx) -> Result<Materials, String> {
        let passphrase = cx.credential("passphrase");
        if cx.config().str("certType") == "pfx" {
            return Ok(Materials { pfx: pkcs12_file(cx)?, passphrase, ..Materials::default() });
        }
        if cx.config().str("certType") == "env" {
            let [cert, key, ca] = ["certEnv", "keyEnv", "caEnv"].map(|field| variable(cx, field));
            return Ok(Materials { cert: cert?, key: key?, ca: ca?, passphrase, ..Materials::default() });
        }
        let paths = ["cert", "key", "ca"].map(|name| cx.config().str(name).trim().to_owned());
        let parts = if paths.iter().any(|path| !path.is_empty()) {
            let mut parts = [const { None }; 3];
            for (part, path) in parts.iter_mut().zip(&paths) {
                if !path.is_empty() {
                    *part = Some(std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?);
                }
            }
            parts
        } else {
            ["certdata", "keydata", "cadata"]
                .map(|name| cx.credential(name).filter(|text| !text.is_empty()).map(String::into_bytes))
        };
        let [cert, key, ca] = parts;
        if cert.is_some() != key.is_some() {
            return Err(cx.text("tls.error.missing-file", &[]));
        }
        Ok(Materials { cert, key, ca, passphrase, ..Materials::default() })
    }
}

/// The file that the node names, else the one that was uploaded, which the editor keeps in base64.
fn pkcs12_file(cx: &NodeCx) -> Result<Option<Vec<u8>>, String> {
    let path = cx.config().str("p12").trim();
    if !path.is_empty() {
        return std::fs::read(path).map(Some).map_err(|error| format!("cannot read {path}: {error}"));
    }
    let uploaded = cx.credential("p12data").filter(|text| !text.is_empty());
    let uploaded =
        uploaded.map(|text| STANDARD.decode(text.trim()).map_err(|error| format!("p12data is no base64: {error}")));
    uploaded.transpose()
}

/// What a text of PEM has in it; other lines may stand before.
const PEM: &str = "-----BEGIN ";

/// The text of the variable that a field names; a field without a name has none. A name in `${}` is its text by now.
fn variable(cx: &NodeCx, field: &str) -> Result<Option<Vec<u8>>, String> {
    let name = cx.config().str(field).trim();
    if name.is_empty() {
        return Ok(None);
    }
    if name.contains(PEM) {
        return Ok(Some(name.as_bytes().to_vec()));
    }
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        // It may be a key: it is not shown.
        return Err(format!("{field} is neither the name of a variable nor PEM"));
    }
    let text = cx.env(name).map(|value| value.to_text().to_string()).filter(|text| !text.is_empty());
    text.map(|text| Some(text.into_bytes())).ok_or_else(|| {
        format!("{field} names the variable {name}, which is not set: set it with `flotilla env set --secret`")
    })
}
