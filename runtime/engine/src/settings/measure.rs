//! What is measured of each message.

/// What a replica counts and times of the messages of its flow; each includes the ones before it. Which deliveries are open, how
/// the others ended and the errors of nodes are counted whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Nothing more.
    Nothing,
    /// How long deliveries take.
    Deliveries,
    /// What each node received and sent, and how long it was busy.
    #[default]
    Nodes,
}
