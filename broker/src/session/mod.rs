//! What the broker keeps for one ClientID, connected or not.

mod client;
mod delivery;
mod session;
mod window;

pub use crate::keys::SessionKey;
pub use client::{Client, Identity};
pub use delivery::{Delivery, Ids, Source};
pub use session::{Alone, Session, Subscription};
pub use window::{Flight, Window};
