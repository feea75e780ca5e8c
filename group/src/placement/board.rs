//! The hosts with their load, and one group's view of them: what a choice counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use flotilla_api::placement::{Domain, HostFacts, PlacementSpec};

use super::document::{Placement, Places, ServerGroup};
use super::seen::Seen;

/// Room on a host without a bound.
const UNBOUNDED: u64 = 1 << 32;

/// All hosts, with indices instead of names: a choice among 1,000 hosts is one pass over vectors.
pub(super) struct Board<'a> {
    pub(super) seats: Vec<Seat<'a>>,
    pub(super) by_name: HashMap<&'a str, usize>,
}

/// A host.
pub(super) struct Seat<'a> {
    pub(super) facts: &'a HostFacts,
    pub(super) alive: bool,
    pub(super) drained: bool,
    /// The groups that it takes; `None`: all.
    pub(super) takes: Option<&'a BTreeSet<String>>,
    /// Lost for so long that its members are placed elsewhere.
    pub(super) given_up: bool,
    pub(super) lost_ms: Option<u64>,
    /// Members on it, those that leave included: they still run.
    pub(super) load: u64,
}

/// What one group asks for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) group: &'a str,
    pub(super) placement: &'a PlacementSpec,
    /// The member whose place is taken.
    pub(super) replacing: Option<u64>,
}

/// One group's view of the board.
pub(super) struct View<'a> {
    pub(super) ask: Ask<'a>,
    pub(super) server_group: Option<(&'a str, ServerGroup)>,
    /// The domain of each host by the server group's policy (by host without one); `None`: the host says none.
    pub(super) domain: Vec<Option<usize>>,
    /// What each domain is called.
    pub(super) domain_names: Vec<String>,
    /// Members of the server group in each domain; one with its replacement in the same domain counts once.
    pub(super) bound: Vec<u32>,
    /// The same without those that are to go elsewhere.
    pub(super) settled: Vec<u32>,
    /// The group's own members on each host, and in its zone.
    pub(super) own_host: Vec<u32>,
    pub(super) own_zone: Vec<u32>,
    pub(super) zone: Vec<usize>,
    /// Some member of the server group in each domain, for explanations.
    pub(super) someone: Vec<Option<String>>,
}

impl<'a> Board<'a> {
    pub(super) fn new(placement: &'a Placement, seen: &'a Seen) -> Board<'a> {
        let mut seats: Vec<Seat<'a>> = seen
            .hosts
            .iter()
            .map(|host| {
                let name = &host.facts.name;
                let lost_ms = placement.lost.get(name).map(|since| seen.now_ms.saturating_sub(*since));
                Seat {
                    facts: &host.facts,
                    alive: host.alive && lost_ms.is_none(),
                    drained: placement.drained.contains(name),
                    takes: host.takes.as_ref(),
                    given_up: lost_ms.is_some_and(|lost| lost >= seen.rules.replace_after_ms),
                    lost_ms,
                    load: 0,
                }
            })
            .collect();
        seats.sort_by(|a, b| a.facts.name.cmp(&b.facts.name));
        let by_name = seats.iter().enumerate().map(|(index, seat)| (seat.facts.name.as_str(), index)).collect();
        let mut board = Board { seats, by_name };
        for places in placement.groups.values() {
            for (host, numbers) in &places.on {
                if let Some(index) = board.by_name.get(host.as_str()) {
                    board.seats[*index].load += numbers.len() as u64;
                }
            }
        }
        board
    }

    /// A host's room for further members.
    pub(super) fn room(&self, host: usize) -> u64 {
        let seat = &self.seats[host];
        seat.facts.max_replicas.map_or(UNBOUNDED, |most| u64::from(most).saturating_sub(seat.load))
    }

    /// True when members of this host are to go elsewhere.
    pub(super) fn is_going(&self, host: &str) -> bool {
        // A host that nobody knows any more was removed.
        self.by_name.get(host).is_none_or(|index| self.seats[*index].drained || self.seats[*index].given_up)
    }

    pub(super) fn view(&self, placement: &'a Placement, ask: Ask<'a>) -> View<'a> {
        let of = |group: &str| placement.groups.get(group).and_then(|places| places.server_group.as_deref());
        let name = of(ask.group).or(ask
            .placement
            .server_group
            .as_deref()
            .filter(|_| !placement.groups.contains_key(ask.group)));
        let server_group = name
            .and_then(|name| placement.server_groups.get_key_value(name).map(|(name, group)| (name.as_str(), *group)));
        let by = server_group.map_or(Domain::Host, |(_, group)| group.domain);
        let strict = server_group.is_some_and(|(_, group)| is_hard(&group));
        let (domain, domain_names) = self.domains(by, strict);
        let (zone, zones) = self.domains(Domain::Zone, false);
        let zone = zone.into_iter().map(Option::unwrap_or_default).collect();
        let mut view = View {
            ask,
            server_group,
            bound: vec![0; domain_names.len()],
            settled: vec![0; domain_names.len()],
            someone: vec![None; domain_names.len()],
            domain,
            domain_names,
            own_host: vec![0; self.seats.len()],
            own_zone: vec![0; zones.len()],
            zone,
        };
        self.count_own(placement, &mut view);
        if let Some((name, _)) = server_group {
            for (group, places) in
                placement.groups.iter().filter(|(_, places)| places.server_group.as_deref() == Some(name))
            {
                self.count_bound(group, places, &mut view);
            }
        }
        view
    }

    fn count_own(&self, placement: &Placement, view: &mut View<'_>) {
        let Some(places) = placement.groups.get(view.ask.group) else { return };
        for (number, host) in places.members() {
            let Some(index) = self.by_name.get(host) else { continue };
            if !places.stays(number) || view.ask.replacing == Some(number) {
                continue;
            }
            view.own_host[*index] += 1;
            view.own_zone[view.zone[*index]] += 1;
        }
    }

    fn count_bound(&self, group: &str, places: &Places, view: &mut View<'_>) {
        for (number, host) in places.members() {
            let Some(index) = self.by_name.get(host) else { continue };
            let Some(domain) = view.domain[*index] else { continue };
            let own = group == view.ask.group && view.ask.replacing == Some(number);
            if own || places.unbound.contains(&number) {
                continue;
            }
            let successor = places.replacement_of(number);
            let same = successor
                .and_then(|new| self.by_name.get(places.host_of(new)?))
                .is_some_and(|new| view.domain[*new] == Some(domain));
            if !same {
                view.bound[domain] += 1;
                view.someone[domain].get_or_insert_with(|| super::document::member_name(group, number));
            }
            if places.stays(number) && !self.is_going(host) {
                view.settled[domain] += 1;
            }
        }
    }

    /// The domain of each host, and the names of the domains in order. A host that does not say is in none; if not
    /// `strict`, all of them are in one.
    fn domains(&self, by: Domain, strict: bool) -> (Vec<Option<usize>>, Vec<String>) {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let name = |seat: &Seat<'a>| match by {
            Domain::Host => &seat.facts.name,
            Domain::Rack => &seat.facts.rack,
            Domain::Zone => &seat.facts.zone,
        };
        for seat in &self.seats {
            names.entry(name(seat)).or_default();
        }
        if strict {
            names.remove("");
        }
        names.values_mut().enumerate().for_each(|(index, domain)| *domain = index);
        let of = self.seats.iter().map(|seat| names.get(name(seat).as_str()).copied()).collect();
        (of, names.into_keys().map(str::to_owned).collect())
    }

    /// Takes note of a new member.
    pub(super) fn take(&mut self, view: &mut View<'_>, host: usize) {
        self.seats[host].load += 1;
        view.own_host[host] += 1;
        view.own_zone[view.zone[host]] += 1;
        if let (Some(domain), Some(_)) = (view.domain[host], view.server_group) {
            view.bound[domain] += 1;
            view.settled[domain] += 1;
            view.someone[domain].get_or_insert_with(|| format!("another replica of \"{}\"", view.ask.group));
        }
    }
}

/// True for policies that hold or refuse.
pub(super) fn is_hard(group: &ServerGroup) -> bool {
    use flotilla_api::placement::Policy;
    matches!(group.policy, Policy::Affinity | Policy::AntiAffinity)
}
