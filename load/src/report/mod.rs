//! Results: as JSON, as text, for pipelines, as a page.

mod compare;
mod html;
mod junit;
mod results;
mod text;
mod xml;

pub use compare::{Row, failed, rows};
pub use html::{comparison_page, page};
pub use junit::junit;
pub use results::{Checked, Generator, Results, StepResult, StreamResult};
pub use text::text;
pub use xml::escaped as xml_escaped;
