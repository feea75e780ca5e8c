//! What a store promises, whichever backend keeps it.

mod entry;
mod error;
mod event;
mod key;
mod lease;
mod moment;
mod number;
mod store;

pub use entry::{Cas, Entry, Expect, Write};
pub use error::{Result, StoreError};
pub use event::{Event, Watch};
pub use key::{MAX_KEY, MAX_VALUE};
pub use lease::{Acquire, Fence, HeldLease, Lease};
pub use moment::Moment;
pub use store::{BlockingStore, Store};

pub(crate) use event::WatchSender;
pub(crate) use key::{check_key, check_value, prefix_end};
pub(crate) use number::add;
