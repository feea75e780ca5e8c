//! Where every message passes: who gets it, in what order, and what happens when someone goes away.
//! One lock guards all of it; connections take it once per batch of packets.

mod acks;
mod asked;
mod connect;
mod deaths;
mod deliver;
mod end;
mod flush;
mod groups;
mod keyed;
mod owner;
mod publish;
mod refusals;
mod retained;
mod router;
mod status;
mod stored;
mod subscribe;
mod sys;
mod timers;

pub use connect::{Accepted, Refused};
pub use publish::Blocked;
pub use router::{Router, Stats};
pub use status::{GroupStatus, MemberStatus, Status, Totals};
