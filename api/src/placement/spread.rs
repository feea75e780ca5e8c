//! What one death would do to a group.

use std::collections::{BTreeMap, BTreeSet};

use super::host::Host;
use crate::replica::{ReplicaRecord, ReplicaState};
use crate::rollout::Rules;

/// What the death of one host or one zone would do to a group, where that is more than it stands: by its rules so many replicas
/// are to stay ready, on so many hosts, in so many zones.
pub fn warnings(replicas: &[ReplicaRecord], hosts: &[Host], rules: &Rules) -> Vec<String> {
    let least = rules.min_available.unwrap_or(1);
    let ready: Vec<_> = replicas.iter().filter(|replica| replica.state == ReplicaState::Ready).collect();
    if ready.is_empty() || ready.iter().any(|replica| replica.host.is_empty()) {
        return Vec::new();
    }
    let zones: BTreeMap<&str, &str> =
        hosts.iter().map(|host| (host.facts.name.as_str(), host.facts.zone.as_str())).collect();
    let zone = |host: &str| zones.get(host).copied().unwrap_or_default().to_owned();
    let mut found = deaths("host", ready.len(), least, ready.iter().map(|replica| replica.host.clone()));
    let known: BTreeSet<&str> = zones.values().filter(|zone| !zone.is_empty()).copied().collect();
    if found.is_empty() && known.len() > 1 {
        found = deaths("zone", ready.len(), least, ready.iter().map(|replica| zone(&replica.host)));
    }
    let on: BTreeSet<&str> = ready.iter().map(|replica| replica.host.as_str()).collect();
    found.extend(too_few("host", on.len(), rules.min_hosts));
    let zones: BTreeSet<String> = on.iter().map(|host| zone(host)).filter(|zone| !zone.is_empty()).collect();
    found.extend(too_few("zone", zones.len(), rules.min_zones));
    found
}

/// What a group does not stand that counts hosts or zones.
fn too_few(what: &str, on: usize, least: Option<usize>) -> Option<String> {
    let least = least.filter(|least| on <= *least)?;
    Some(match on < least {
        true => format!("ready replicas are on {on} {what}s, fewer than min_{what}s {least}"),
        false => format!("ready replicas are on {on} {what}s: the death of one leaves fewer than min_{what}s {least}"),
    })
}

fn deaths(what: &str, all: usize, least: usize, places: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    places.for_each(|place| *counts.entry(place).or_default() += 1);
    let fatal = counts.into_iter().filter(|(_, count)| all - count < least.max(1));
    fatal
        .map(|(place, count)| match all - count {
            0 => format!("all ready replicas are on {what} \"{place}\": its death stops the group"),
            left => format!(
                "the death of {what} \"{place}\" leaves {left} ready replicas, fewer than min_available {least}"
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::HostFacts;

    fn replica(id: &str, host: &str) -> ReplicaRecord {
        serde_json::from_value(serde_json::json!({
            "id": id, "group": "g", "host": host, "state": "ready", "reason": "", "revision": "r", "http": null, "ops": null,
            "pid": 1, "version": "", "started_ms": 0, "in_flight": 0, "completed": 0, "failed": 0, "abandoned": 0,
            "memory": 0, "beat": 1
        }))
        .unwrap()
    }

    fn least(replicas: usize) -> Rules {
        Rules { min_available: Some(replicas), ..Rules::default() }
    }

    fn host(name: &str, zone: &str) -> Host {
        let facts = HostFacts { name: name.to_owned(), zone: zone.to_owned(), ..HostFacts::default() };
        Host { facts, alive: true, drained: false, lost_since_ms: None, load: None, members: Vec::new() }
    }

    #[test]
    fn the_death_of_a_host_or_a_zone_is_warned_of_where_it_is_more_than_the_group_stands() {
        let hosts = [host("a", "east"), host("b", "east"), host("c", "west")];
        let group = |on: &[&str]| on.iter().map(|host| replica("r", host)).collect::<Vec<_>>();
        assert!(warnings(&group(&["", ""]), &hosts, &least(1)).is_empty(), "nobody said where they are");
        assert!(warnings(&group(&["a", "a"]), &hosts, &least(1))[0].contains("all ready replicas are on host \"a\""));
        assert!(
            warnings(&group(&["a", "b"]), &hosts, &least(1))[0].contains("all ready replicas are on zone \"east\"")
        );
        assert!(warnings(&group(&["a", "c"]), &hosts, &least(1)).is_empty());
        let two = warnings(&group(&["a", "a", "c"]), &hosts, &least(2));
        assert!(
            two.len() == 1 && two[0].contains("\"a\" leaves 1 ready replicas, fewer than min_available 2"),
            "{two:?}"
        );
        // By choice hosts and zones count.
        let two_hosts = Rules { min_hosts: Some(2), ..least(1) };
        assert!(warnings(&group(&["a", "b", "c"]), &hosts, &two_hosts).is_empty());
        let one_too_few = warnings(&group(&["a", "a", "c"]), &hosts, &two_hosts);
        assert!(
            one_too_few[0].contains("on 2 hosts: the death of one leaves fewer than min_hosts 2"),
            "{one_too_few:?}"
        );
        let two_zones = Rules { min_zones: Some(2), ..least(1) };
        let too_few = warnings(&group(&["a", "b"]), &hosts, &two_zones).join("\n");
        assert!(too_few.contains("on 1 zones, fewer than min_zones 2"), "{too_few}");
    }
}
