//! HTTP requests, on hyper.

mod exchange;
mod requester;

pub use requester::Requester;
