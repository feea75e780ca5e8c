//! The palette's category `function`.

pub mod function;
