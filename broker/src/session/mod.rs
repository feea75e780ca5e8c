//! What the broker keeps for one ClientID, connected or not.

mod client;
mod delivery;
mod session;
mod window;

pub use client::Client;
pub use delivery::{Delivery, Ids, Source};
pub use session::{Session, SessionKey, Subscription};
pub use window::{Flight, Window};
