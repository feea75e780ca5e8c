//! Groups of other installations, over their admin API.

mod bounds;
mod fault;
mod installation;

pub(crate) use bounds::text;
pub(crate) use fault::Fault;
pub(crate) use installation::Installation;
