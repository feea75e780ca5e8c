//! `flotilla pub` and `flotilla sub`: the short flags of `mosquitto_pub` and `mosquitto_sub`, on rumqttc.

mod args;
mod format;
mod options;
mod properties;
mod publish;
mod subscribe;

pub use args::{PubArgs, SubArgs};
pub use publish::run as publish;
pub use subscribe::run as subscribe;
