//! One view of the lines of several replicas.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use flotilla_api::log::LogLine;

/// The lines by time; those of one replica stay in the order in which they are given, whatever its clock did. Equal times
/// are ordered by the replica's id, so that the order is the same each time.
pub(super) fn merge(lines: Vec<LogLine>) -> Vec<LogLine> {
    let mut queues: BTreeMap<String, VecDeque<LogLine>> = BTreeMap::new();
    let all = lines.len();
    for line in lines {
        queues.entry(line.replica.clone()).or_default().push_back(line);
    }
    let first = |queue: &VecDeque<LogLine>| queue.front().map(|line| line.time_ms);
    let mut heads: BinaryHeap<_> =
        queues.iter().filter_map(|(replica, queue)| Some(Reverse((first(queue)?, replica.clone())))).collect();
    let mut merged = Vec::with_capacity(all);
    while let Some(Reverse((_, replica))) = heads.pop() {
        let Some(queue) = queues.get_mut(&replica) else { continue };
        merged.extend(queue.pop_front());
        if let Some(time) = first(queue) {
            heads.push(Reverse((time, replica)));
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_by_time_and_those_of_one_replica_in_their_order() {
        let line = |replica: &str, position, time_ms| LogLine {
            replica: replica.to_owned(),
            position,
            time_ms,
            ..LogLine::default()
        };
        // The clock of b was set back between its lines 1 and 2.
        let given = vec![
            line("b", 1, 20),
            line("a", 1, 10),
            line("a", 2, 20),
            line("b", 2, 5),
            line("a", 3, 30),
            line("b", 3, 40),
        ];
        let merged: Vec<_> = merge(given).iter().map(|line| format!("{}{}", line.replica, line.position)).collect();
        assert_eq!(merged, ["a1", "a2", "b1", "b2", "a3", "b3"]);
    }
}
