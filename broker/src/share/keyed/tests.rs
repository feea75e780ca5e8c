//! Any sequence of joins, leaves, deaths, publishes and acknowledgements against a model that knows only what was handed
//! out and not ended.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::Bytes;
use flotilla_codec::QoS;
use proptest::prelude::*;

use super::{Absence, Keyed, Next};
use crate::{message::Message, session::SessionKey, share::Waiting};

#[derive(Debug, Clone)]
enum Op {
    Join(SessionKey, usize),
    /// It unsubscribes: what it has stays with it.
    Leave(SessionKey),
    /// Its session ends: what it has goes to others.
    Die(SessionKey),
    Absence(SessionKey, bool),
    Stall(SessionKey, bool),
    Publish(u64),
    /// The member acknowledges one of what it has.
    Ack(SessionKey, usize),
    /// The packet is too large for its member: only another takes it.
    TooLarge(SessionKey, SessionKey),
}

fn op() -> impl Strategy<Value = Op> {
    let member = 0usize..4;
    prop_oneof![
        2 => (member.clone(), 1usize..9).prop_map(|(member, window)| Op::Join(member, window)),
        1 => member.clone().prop_map(Op::Leave),
        1 => member.clone().prop_map(Op::Die),
        1 => (member.clone(), any::<bool>()).prop_map(|(member, away)| Op::Absence(member, away)),
        1 => (member.clone(), any::<bool>()).prop_map(|(member, stalled)| Op::Stall(member, stalled)),
        12 => (0u64..6).prop_map(Op::Publish),
        12 => (member.clone(), 0usize..8).prop_map(|(member, at)| Op::Ack(member, at)),
        1 => (member.clone(), member).prop_map(|(member, other)| Op::TooLarge(member, other)),
    ]
}

fn message() -> Arc<Message> {
    Arc::new(Message {
        topic: Bytes::new(),
        payload: Bytes::new(),
        forward: Bytes::new(),
        qos: QoS::AtLeastOnce,
        retain: false,
        expires: None,
        weight: None,
    })
}

/// What one session was handed and has not ended: key and message.
type Hand = Vec<(u64, Waiting)>;

struct World {
    keyed: Keyed,
    now: Instant,
    seq: u64,
    /// Members and their windows.
    members: BTreeMap<SessionKey, usize>,
    /// In flight, also of sessions that are no members any more.
    hands: BTreeMap<SessionKey, Hand>,
    /// By key: published and not acknowledged, in order.
    open: BTreeMap<u64, Vec<u64>>,
}

impl World {
    fn new() -> Self {
        Self {
            keyed: Keyed::new(),
            now: Instant::now(),
            seq: 0,
            members: BTreeMap::new(),
            hands: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    fn in_flight(&self) -> usize {
        self.hands.values().map(Vec::len).sum()
    }

    fn has_room(&self, session: SessionKey) -> bool {
        self.members.get(&session).is_some_and(|window| self.hands.get(&session).map_or(0, Vec::len) < *window)
    }

    /// Checks order at the moment of handing out.
    fn hand(&mut self, session: SessionKey, key: u64, waiting: Waiting) {
        let earlier: Vec<u64> = self.open[&key].iter().copied().filter(|seq| *seq < waiting.seq).collect();
        let own = self.hands.entry(session).or_default();
        for seq in earlier {
            let has = own.iter().any(|(other, waiting)| *other == key && waiting.seq == seq);
            assert!(has, "{} of key {key} goes to {session} before {seq}", waiting.seq);
        }
        own.push((key, waiting));
        for (other, hand) in &self.hands {
            assert!(*other == session || hand.iter().all(|(held, _)| *held != key), "two sessions have key {key}");
        }
    }

    fn publish(&mut self, key: u64) {
        self.seq += 1;
        self.open.entry(key).or_default().push(self.seq);
        let waiting = Waiting { seq: self.seq, since: self.now, message: message(), retained: false, blame: None };
        match self.keyed.target(key).filter(|session| self.has_room(*session)) {
            Some(session) => {
                self.keyed.sent(key, session);
                self.hand(session, key, waiting);
            }
            None => {
                self.keyed.wait(key, waiting);
            }
        }
    }

    /// Every member takes what it has room for, as the router does after each step.
    fn serve(&mut self) {
        for session in self.members.keys().copied().collect::<Vec<_>>() {
            while self.has_room(session) {
                let had = self.keyed.has_for(session);
                let Next::Message(key, waiting) = self.keyed.next_for(session, |_| true, |_| true) else { break };
                assert!(had, "it has something, and says that it has not");
                self.hand(session, key, waiting);
            }
        }
    }

    fn ack(&mut self, session: SessionKey, at: usize) {
        let Some(hand) = self.hands.get_mut(&session).filter(|hand| !hand.is_empty()) else { return };
        // In order within a key, in any order across keys.
        let key = hand[at % hand.len()].0;
        let at = hand.iter().position(|(other, _)| *other == key).expect("it is there");
        let (key, waiting) = hand.remove(at);
        self.keyed.done(key, session);
        self.open.get_mut(&key).expect("it is open").retain(|seq| *seq != waiting.seq);
    }

    fn leave(&mut self, session: SessionKey) {
        self.members.remove(&session);
        self.keyed.leave(session);
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Join(session, window) => {
                self.members.insert(session, window);
                // A name that outlives the session's number.
                self.keyed.join(session, flotilla_codec::agreed::mix(session as u64 + 77), window);
            }
            Op::Leave(session) => self.leave(session),
            Op::Die(session) => {
                self.leave(session);
                let mut held = self.hands.remove(&session).unwrap_or_default();
                held.reverse();
                self.keyed.give_back(session, held.into_iter().map(|(key, waiting)| (key, key, waiting)).collect());
            }
            Op::Absence(session, away) => {
                self.keyed.set_absence(session, if away { Absence::Away } else { Absence::Present });
            }
            Op::Stall(session, stalled) => {
                let absence = if stalled { Absence::Stalled(self.now) } else { Absence::Present };
                self.keyed.set_absence(session, absence);
            }
            Op::Publish(key) => self.publish(key),
            Op::Ack(session, at) => self.ack(session, at),
            Op::TooLarge(session, other) => {
                let Some(hand) = self.hands.get_mut(&session).filter(|_| self.members.contains_key(&other)) else {
                    return;
                };
                // It is found at the moment of sending: it is the last of its key.
                let Some((key, waiting)) = hand.pop() else { return };
                self.keyed.done(key, session);
                self.keyed.wait_for(key, waiting, other);
            }
        }
        self.serve();
        self.check();
    }

    fn check(&self) {
        let open: usize = self.open.values().map(Vec::len).sum();
        assert_eq!(self.keyed.waiting() + self.in_flight(), open, "nothing is lost or doubled");
        assert!(self.keyed.keys() <= open, "what is kept is bounded by messages");
        assert!(self.keyed.listed() <= self.keyed.waiting());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn order_by_key_holds_and_nothing_is_lost(ops in proptest::collection::vec(op(), 1..120)) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
        // In the end somebody is there, and acknowledges.
        for session in world.hands.keys().copied().collect::<Vec<_>>() {
            if !world.members.contains_key(&session) {
                world.run(Op::Die(session));
            }
        }
        world.run(Op::Join(9, 3));
        let mut left = 10_000;
        while world.in_flight() > 0 {
            for session in world.hands.keys().copied().collect::<Vec<_>>() {
                world.run(Op::Ack(session, left));
            }
            left -= 1;
            prop_assert!(left > 0);
        }
        prop_assert_eq!(world.keyed.waiting(), 0, "what waits is served once there is room");
        prop_assert_eq!(world.keyed.keys(), 0);
    }

    #[test]
    fn what_expires_leaves_nothing_behind(ops in proptest::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
        let waiting = world.keyed.waiting();
        prop_assert_eq!(world.keyed.expire(|_| true).len(), waiting);
        prop_assert_eq!((world.keyed.waiting(), world.keyed.waiting_bytes(), world.keyed.listed()), (0, 0, 0));
    }
}

fn present(members: &[SessionKey]) -> World {
    let mut world = World::new();
    for session in members {
        world.run(Op::Join(*session, 8));
    }
    world
}

/// Keys by owner, with these members.
fn owners(members: &[SessionKey]) -> Vec<Option<SessionKey>> {
    let world = present(members);
    (0..4000).map(|key| world.keyed.owner(flotilla_codec::agreed::mix(key))).collect()
}

#[test]
fn a_join_moves_only_the_keys_of_the_new_member() {
    let (before, after) = (owners(&[0, 1, 2]), owners(&[0, 1, 2, 3]));
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(before.iter().zip(&after).all(|(before, after)| before == after || *after == Some(3)));
    assert!((700..1300).contains(&moved), "{moved} of 4000");
    for session in 0..4 {
        let own = after.iter().filter(|owner| **owner == Some(session)).count();
        assert!((800..1200).contains(&own), "{own} of 4000");
    }
}

#[test]
fn a_hot_key_leaves_room_for_others() {
    let mut world = present(&[0]);
    (0..20).for_each(|_| world.run(Op::Publish(1)));
    assert_eq!(world.hands[&0].len(), 6, "alone it takes all but a quarter");
    world.run(Op::Publish(2));
    assert_eq!(world.hands[&0].last().map(|(key, _)| *key), Some(2), "another is not behind it");
    (0..10).for_each(|_| world.run(Op::Publish(3)));
    // Of the hot key's acknowledgements the other has the good, until both have the same.
    (0..4).for_each(|_| world.run(Op::Ack(0, 0)));
    let of = |world: &World, key| world.hands[&0].iter().filter(|(other, _)| *other == key).count();
    assert_eq!((of(&world, 1) + of(&world, 3), of(&world, 1).abs_diff(of(&world, 3))), (7, 1));
}

#[test]
fn a_key_waits_for_its_former_holder() {
    let mut world = present(&[0]);
    for key in 0..40 {
        world.run(Op::Publish(flotilla_codec::agreed::mix(key) % 6));
    }
    let held: Vec<u64> = world.hands[&0].iter().map(|(key, _)| *key).collect();
    world.run(Op::Join(1, 100));
    let moved: Vec<u64> = (0..6).filter(|key| world.keyed.owner(*key) == Some(1)).collect();
    assert!(moved.iter().any(|key| held.contains(key)), "one of six moves, or the test shows nothing");
    for key in moved {
        let waits = held.contains(&key);
        assert_eq!(world.hands.get(&1).is_some_and(|hand| hand.iter().any(|(other, _)| *other == key)), !waits);
    }
}
