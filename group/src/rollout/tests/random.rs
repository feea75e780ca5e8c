//! Whatever happens, in whatever order: a rollout ends, with one revision.

use proptest::prelude::*;

use super::world::{Fate, World};
use crate::rollout::{Phase, Rules};

#[derive(Clone, Debug)]
enum Event {
    Drive,
    Act(usize),
    Time(u64),
    Kill(usize),
    Join,
    Pause,
    Resume,
    Cancel,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => Just(Event::Drive),
        8 => (0usize..6).prop_map(Event::Act),
        4 => (0u64..4_000).prop_map(Event::Time),
        1 => (0usize..6).prop_map(Event::Kill),
        1 => Just(Event::Join),
        1 => Just(Event::Pause),
        1 => Just(Event::Resume),
        1 => Just(Event::Cancel),
    ];
    prop::collection::vec(event, 0..200)
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Good),
        1 => Just(Fate::NeverReady),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Crashes),
        1 => Just(Fate::Throws),
        1 => Just(Fate::Broken),
        1 => Just(Fate::BreaksLate),
        1 => Just(Fate::Deaf),
        1 => Just(Fate::Hangs),
        1 => Just(Fate::Endless)
    ]
}

proptest! {
    #[test]
    fn a_rollout_always_ends_on_one_revision(size in 1usize..6, fate in fates(), events in events()) {
        let mut world = World::new(size, fate, Rules::default());
        let actor = World::actor(1_000);
        for event in events {
            match event {
                Event::Drive => drop(world.drive()),
                Event::Act(index) => world.act(index),
                Event::Time(ms) => world.pass_time(ms),
                Event::Kill(index) => world.kill(index),
                Event::Join if world.seen.replicas.len() < 6 => world.join(),
                Event::Join => {}
                Event::Pause => drop(world.rollout.pause(&actor)),
                Event::Resume => drop(world.rollout.resume(&actor)),
                Event::Cancel => drop(world.rollout.cancel(&World::actor(world.seen.now_ms))),
            }
        }
        world.rollout.resume(&World::actor(world.seen.now_ms));
        if world.rollout.is_active() {
            world.run();
        }
        // Those that joined while it ended still follow what they are told.
        for _ in 0..3 {
            (0..world.seen.replicas.len()).for_each(|index| world.act(index));
        }
        let goal = if world.rollout.phase == Phase::Done { "new" } else { "old" };
        prop_assert!(world.revisions().iter().all(|revision| *revision == goal), "{:?}: {:?}", world.rollout, world.seen);
    }

    #[test]
    fn without_deaths_enough_stay_ready(size in 2usize..7, least in 0usize..6, fate in fates()) {
        prop_assume!(least < size && fate != Fate::Crashes);
        let mut world = World::new(size, fate, Rules { min_available: Some(least), ..Rules::default() });
        world.run();
        prop_assert!(world.fewest_ready >= least);
    }
}
