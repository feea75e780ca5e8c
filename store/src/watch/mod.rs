//! The watches of one open store, whatever tells it of changes.

mod background;
mod hub;

pub(crate) use background::background;
pub(crate) use hub::Hub;
