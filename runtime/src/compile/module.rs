//! Whether an npm module runs in the sandbox of function nodes.

use std::path::Path;

use flotilla_script::Script;

/// Why a module does not run here, as found below a folder with npm modules: it needs a part of Node.js, it throws when it is
/// loaded, it is not there. `None` when a function node can load it.
pub fn module_fault(module: &str, folder: &Path) -> Option<String> {
    match Script::current() {
        Ok(script) => script.try_module(module, folder).err(),
        Err(error) => Some(error.to_string()),
    }
}
