//! Compiles every piece of code in a flow document without running any of it: functions, JSONata, cron expressions, regular
//! expressions, templates.

mod fault;
mod fields;
mod module;
mod pass;
mod place;
#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use module::module_fault;
pub use pass::faults;
