//! Groups of other installations, over their admin API.

mod fault;
mod installation;

pub(crate) use fault::Fault;
pub(crate) use installation::Installation;
