//! Alerts: which causes there are, and what was told of them.

mod book;
mod causes;
mod books;

pub use book::Book;
pub use books::Books;
pub use causes::{Cause, Picture, Watch};
