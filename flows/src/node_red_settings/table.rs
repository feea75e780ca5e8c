//! Every setting of Node-RED 4 and 5, and what it is here.

/// What a setting is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Part of the revision: replicas act by it.
    Revision,
    /// For the process that starts the group, which takes it from the file.
    Start,
    /// It has no effect, and why.
    None(&'static str),
}

const EDITOR: Use = Use::None("it is about the editor");
const PALETTE: Use = Use::None("npm nodes are not installed here");
const ADMIN: Use = Use::None("the admin API here asks for its own token");
const DASHBOARD: Use = Use::None("there is no dashboard of Node-RED here");

const TABLE: &[(&str, Use)] = &[
    ("apiMaxLength", Use::Revision),
    ("contextStorage", Use::Revision),
    ("debugMaxLength", Use::Revision),
    ("debugStatusLength", Use::Revision),
    ("execMaxBufferSize", Use::Revision),
    ("exportGlobalContextKeys", Use::None("values of functionGlobalContext are not listed here")),
    ("fileWorkingDirectory", Use::Revision),
    ("flowforge", Use::Revision),
    ("functionExternalModules", Use::Revision),
    ("functionGlobalContext", Use::Revision),
    ("functionMemoryLimit", Use::Revision),
    ("globalFunctionTimeout", Use::Revision),
    ("httpNodeAuth", Use::Revision),
    ("httpNodeCors", Use::Revision),
    ("httpNodeRoot", Use::Revision),
    ("httpNodeTimeout", Use::Revision),
    ("httpRequestTimeout", Use::Revision),
    ("httpStatic", Use::Revision),
    ("httpStaticAuth", Use::Revision),
    ("httpStaticCors", Use::Revision),
    ("httpStaticRoot", Use::Revision),
    ("mqttReconnectTime", Use::Revision),
    ("nodeMessageBufferMaxLength", Use::Revision),
    ("socketReconnectTime", Use::Revision),
    ("socketTimeout", Use::Revision),
    ("splitMaxParts", Use::Revision),
    ("tcpMsgQueueSize", Use::Revision),
    ("trustProxy", Use::Revision),
    ("credentialSecret", Use::Start),
    ("flowFile", Use::Start),
    ("https", Use::Start),
    ("httpRoot", Use::Start),
    ("logging", Use::Start),
    ("uiHost", Use::Start),
    ("uiPort", Use::Start),
    ("adminAuth", ADMIN),
    ("httpAdminCookieOptions", EDITOR),
    ("httpAdminMiddleware", ADMIN),
    ("httpAdminRoot", EDITOR),
    ("httpAdminCors", EDITOR),
    ("codeEditor", EDITOR),
    ("debugUseColors", EDITOR),
    ("diagnostics", EDITOR),
    ("disableEditor", EDITOR),
    ("editorTheme", EDITOR),
    ("externalModules", PALETTE),
    ("flowFilePretty", EDITOR),
    ("functionTimeout", Use::None("it is the editor's default for new function nodes")),
    ("httpServerOptions", Use::None("the HTTP server here is not Express")),
    ("httpsRefreshInterval", Use::None("files of a certificate are read anew when they change")),
    ("lang", EDITOR),
    ("libraries", EDITOR),
    ("nodesDir", PALETTE),
    ("nodesExcludes", PALETTE),
    ("paletteCategories", EDITOR),
    ("readOnly", EDITOR),
    ("runtimeState", EDITOR),
    ("safeMode", EDITOR),
    ("serialReconnectTime", Use::None("there are no serial nodes here")),
    ("telemetry", EDITOR),
    ("ui", DASHBOARD),
    ("dashboard", DASHBOARD),
    ("userDir", Use::None("it is the directory that is run")),
    ("verbose", Use::None("RUST_LOG sets the levels")),
];

/// What a setting is here; `None` when Node-RED does not know it either.
pub(super) fn of(name: &str) -> Option<Use> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}
