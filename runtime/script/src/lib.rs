//! Scripts: QuickJS, and what function nodes see of the runtime. Nothing else of the project knows QuickJS.

mod borrowed;
mod changed_message;
mod closing;
mod engine;
mod export;
mod failure;
mod fill;
mod function;
mod globals;
mod host;
mod host_events;
mod host_view;
mod import;
mod invocation;
mod languages;
mod lazy_array;
mod link_calls;
mod modules;
mod natives;
mod no_modules;
mod patches;
mod prepare;
mod program;
mod reads;
mod realm;
mod realms;
mod reflection;
mod sandbox;
mod send;
mod settings_file;
mod shapes;
mod slim;
mod sources;
#[cfg(test)]
mod tests;
mod timers;
mod tokens;
mod v8;
mod view;

pub use engine::ScriptStartError;

pub use engine::Script;
pub use function::FunctionScript;
#[cfg(test)]
pub use function::Setup;
pub use host::ScriptHost;
pub use program::{BUILT_IN, Lib, SANDBOX, Source};
pub use settings_file::{SettingsFile, SettingsFileError};
