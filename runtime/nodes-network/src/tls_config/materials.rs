//! Certificates and keys from files or credentials.

use flotilla_engine::NodeCx;

/// PEM texts, and the passphrase of the key.
#[derive(Default)]
pub(super) struct Materials {
    pub(super) cert: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) ca: Option<Vec<u8>>,
    pub(super) passphrase: Option<String>,
}

impl Materials {
    /// Files when the node names any, else what was uploaded.
    pub(super) fn read(cx: &NodeCx) -> Result<Materials, String> {
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
        Ok(Materials { cert, key, ca, passphrase: cx.credential("passphrase") })
    }
}
