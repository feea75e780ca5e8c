//! OpenAPI 3.1 of `/api/v1`, made from the types of the `api` crate, and a page to read it.

mod document;
mod operation;
mod operations;
mod page;

pub(super) use document::{document, get, get_page};
