//! Clients and brokers that nobody here wrote: rumqttc against Flotilla's broker and a group, and a group on rumqttd. What our
//! codec, broker and client get wrong in the same way, tests of one against the other cannot find.

mod group;
mod peer;
mod qos;
mod retained;
mod rumqttd;
mod sessions;
mod shared;
mod version5;
mod will;
