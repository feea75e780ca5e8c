//! Alerts: which causes there are, and what was told of them.

mod book;
mod books;
mod causes;

pub use book::Book;
pub use books::Books;
pub use causes::{Cause, Picture, Watch};
