//! Alerts: which causes there are, and what was told of them.

mod book;
mod books;
mod causes;
mod crashes;
mod picture;
mod signs;

pub use book::Book;
pub use books::Books;
pub use causes::Watch;
pub use picture::{Cause, Picture};
