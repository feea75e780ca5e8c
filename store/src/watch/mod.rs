//! The watches of one open store, whatever tells it of changes.

mod hub;

pub(crate) use hub::Hub;
