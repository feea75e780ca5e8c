//! Error texts as V8 writes them: those that show the expression which failed.
//!
//! The patched QuickJS (`third-party/rquickjs-sys`) writes V8's other texts itself. One that names an expression comes with
//! a mark and a position; what stands there in the source is put into words here.

mod chain;
mod lex;
mod message;
mod parse;
mod pattern;

pub(super) use message::{complete, plain};
