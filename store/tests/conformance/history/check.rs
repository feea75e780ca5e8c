//! The check, after Wing and Gong with Lowe's memory of what was tried: is there an order of the operations that keeps
//! their times (one that was answered before another was asked comes first) and explains each answer?

use std::collections::HashSet;

use super::event::{Answer, Event, Operation};

type State = Option<i64>;

/// What was tried: which operations were placed, and the value after them.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Tried {
    placed: Vec<u64>,
    state: State,
}

/// Checks one key's history, which begins with no value. `Err` says how far an order could be found.
pub fn check(events: &[Event]) -> Result<(), String> {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.asked);
    let answered = events.iter().filter(|event| event.answered.is_some()).count();
    let mut tried = HashSet::new();
    let mut stack = vec![(Tried { placed: vec![0; events.len().div_ceil(64)], state: None }, 0usize)];
    let mut furthest = 0;
    while let Some((now, count)) = stack.pop() {
        if count == answered {
            return Ok(());
        }
        furthest = furthest.max(count);
        let is_placed = |at: usize| now.placed[at / 64] & (1 << (at % 64)) != 0;
        let open = || events.iter().enumerate().filter(|(at, _)| !is_placed(*at));
        // Whatever was asked after another was answered cannot come before it.
        let first_answer = open().filter_map(|(_, event)| event.answered.as_ref().map(|(time, _)| *time)).min();
        let bound = first_answer.unwrap_or(u64::MAX);
        for (at, event) in open().take_while(|(_, event)| event.asked <= bound) {
            let Some(state) = apply(now.state, event) else { continue };
            let mut next = Tried { placed: now.placed.clone(), state };
            next.placed[at / 64] |= 1 << (at % 64);
            if tried.insert(next.clone()) {
                stack.push((next, count + usize::from(event.answered.is_some())));
            }
        }
    }
    Err(format!("no order explains more than {furthest} of {answered} answers"))
}

/// The value after an operation; `None` when its answer does not fit.
fn apply(state: State, event: &Event) -> Option<State> {
    let answer = event.answered.as_ref().map(|(_, answer)| answer);
    let (after, expected) = match &event.operation {
        Operation::Get => (state, Answer::Value(state)),
        Operation::Set(new) => (Some(*new), Answer::Done),
        Operation::Delete => (None, Answer::Made(state.is_some())),
        Operation::Cas(expected, new) if *expected == state => (Some(*new), Answer::Made(true)),
        Operation::Cas(..) => (state, Answer::Made(false)),
        Operation::Incr(by) => {
            let sum = state.unwrap_or(0) + by;
            (Some(sum), Answer::Sum(sum))
        }
    };
    answer.is_none_or(|answer| *answer == expected).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(asked: u64, answered: u64, operation: Operation, answer: Answer) -> Event {
        Event { operation, asked, answered: Some((answered, answer)) }
    }

    #[test]
    fn overlapping_operations_may_be_in_either_order() {
        let set = event(0, 10, Operation::Set(1), Answer::Done);
        for seen in [None, Some(1)] {
            check(&[set.clone(), event(1, 9, Operation::Get, Answer::Value(seen))]).unwrap();
        }
        let cas = event(0, 10, Operation::Cas(Some(1), 2), Answer::Made(true));
        check(&[cas, set, event(11, 12, Operation::Get, Answer::Value(Some(2)))]).unwrap();
    }

    #[test]
    fn what_must_not_be_is_found() {
        let set = |asked, value| event(asked, asked + 1, Operation::Set(value), Answer::Done);
        let get = |asked, value| event(asked, asked + 1, Operation::Get, Answer::Value(value));
        check(&[set(0, 1), set(2, 2), get(4, Some(1))]).expect_err("a stale read");
        check(&[set(0, 1), get(2, None)]).expect_err("a lost write");
        check(&[get(0, Some(9))]).expect_err("a value from nowhere");
        let incr = |asked, sum| event(asked, 9, Operation::Incr(1), Answer::Sum(sum));
        check(&[incr(0, 1), incr(1, 1)]).expect_err("a lost increment");
        check(&[incr(0, 1), incr(1, 2)]).unwrap();
        let cas = |asked, new| event(asked, 9, Operation::Cas(None, new), Answer::Made(true));
        check(&[cas(0, 1), cas(1, 2)]).expect_err("two winners");
        // Seen and unseen again while the write goes on.
        let slow = event(0, 100, Operation::Set(5), Answer::Done);
        check(&[slow.clone(), get(1, Some(5)), get(3, None)]).expect_err("a read that goes back");
        check(&[slow, get(1, None), get(3, Some(5))]).unwrap();
    }

    #[test]
    fn what_was_not_answered_may_have_been_made_or_not() {
        let lost = Event { operation: Operation::Set(7), asked: 0, answered: None };
        let get = |asked, value| event(asked, asked + 1, Operation::Get, Answer::Value(value));
        check(&[lost.clone(), get(5, None), get(7, Some(7))]).unwrap();
        check(&[lost.clone(), get(5, None), get(7, None)]).unwrap();
        check(&[lost, get(5, Some(7)), get(7, None)]).expect_err("made, then unmade");
    }
}
