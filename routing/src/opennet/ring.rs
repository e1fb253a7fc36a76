//! A node's peers in the order in which they lie around it, and what each is worth.

use crate::event::PeerId;
use crate::location::Location;
use crate::opennet::log_distance::LogDistance;

/// Peers around a place, clockwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    me: Location,
    members: Vec<Member>,
}

/// One place on a [`Ring`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Which peer. `None` for one that is only expected.
    pub(crate) peer: Option<PeerId>,
    pub(crate) location: Location,
}

/// Which way around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Above,
    Below,
}

/// A part of the scale of distances without peers.
///
/// Where the scale ends, at half of the ring, there is no peer: what is between the outermost peer and the end has a peer
/// on one of its sides only, and is as bad as a part of twice the width between two peers. It counts as such, as if the
/// scale went on as its own mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) side: Side,
    pub(crate) from: LogDistance,
    pub(crate) to: LogDistance,
}

impl Gap {
    pub(crate) const fn width(self) -> u32 {
        self.to.0.saturating_sub(self.from.0)
    }
}

impl Ring {
    /// Nobody.
    pub(crate) const fn around(me: Location) -> Self {
        Self {
            me,
            members: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn new(me: Location, members: impl Iterator<Item = Member>) -> Self {
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|member| (me.clockwise_to(member.location), member.peer));
        Self { me, members }
    }

    pub(crate) fn insert(&mut self, member: Member) {
        let place = self.place_of(member);
        self.members.insert(place, member);
    }

    /// Takes one away, if it is there.
    pub(crate) fn remove(&mut self, member: Member) {
        let place = self.place_of(member);
        if self.members.get(place) == Some(&member) {
            self.members.remove(place);
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Where one stands or would stand. Of those at the same place the lower handle comes first.
    fn place_of(&self, member: Member) -> usize {
        let order = |member: &Member| (self.me.clockwise_to(member.location), member.peer);
        let own = order(&member);
        self.members.partition_point(|other| order(other) < own)
    }

    /// This ring with one more.
    pub(crate) fn with(&self, member: Member) -> Self {
        let mut members = Vec::with_capacity(self.members.len() + 1);
        members.extend_from_slice(&self.members);
        let mut ring = Self {
            me: self.me,
            members,
        };
        ring.insert(member);
        ring
    }

    /// The nearest on each side. In a small network one may be near on both sides; it is given once.
    pub(crate) fn lattice(&self, each_side: usize) -> impl Iterator<Item = Member> {
        let above = each_side.min(self.members.len());
        let below = self.members.len().saturating_sub(each_side).max(above);
        let (first, last) = (self.members.get(..above), self.members.get(below..));
        let both = [first, last].into_iter().flatten().flatten();
        both.copied()
    }

    /// Whether fewer than `each_side` are nearer to the centre than `location` on one of its sides.
    pub(crate) fn is_neighbour(&self, location: Location, each_side: usize) -> bool {
        let place = self.me.clockwise_to(location);
        let nearer_above = self
            .members
            .iter()
            .filter(|member| self.me.clockwise_to(member.location) < place);
        let nearer_below = self
            .members
            .iter()
            .filter(|member| self.me.clockwise_to(member.location) > place);
        nearer_above.count() < each_side || nearer_below.count() < each_side
    }

    /// The peers outside of the lattice, each with the gap that its loss would leave.
    pub(crate) fn gaps_without(&self, each_side: usize) -> Vec<(Member, u32)> {
        let mut gaps = Vec::with_capacity(self.members.len());
        for side in [Side::Above, Side::Below] {
            let (inner, members) = self.long_links(side, each_side);
            for (index, &(member, _)) in members.iter().enumerate() {
                let before = index.checked_sub(1).and_then(|index| members.get(index));
                let before = before.map_or(inner, |&(_, log)| log);
                let after = members.get(index + 1).map(|&(_, log)| log);
                let after = after.unwrap_or_else(|| before.mirrored());
                gaps.push((member, after.0.saturating_sub(before.0)));
            }
        }
        gaps
    }

    /// The widest part of the scale of distances without peers.
    pub(crate) fn widest_gap(&self, each_side: usize) -> Gap {
        let mut widest = Gap {
            side: Side::Above,
            from: LogDistance::MAX,
            to: LogDistance::MAX,
        };
        for side in [Side::Above, Side::Below] {
            let (inner, members) = self.long_links(side, each_side);
            let mut from = inner;
            let outermost = members.last().map_or(inner, |&(_, log)| log);
            let logs = members.iter().map(|&(_, log)| log);
            for to in logs.chain([outermost.mirrored()]) {
                let gap = Gap { side, from, to };
                if gap.width() > widest.width() {
                    widest = gap;
                }
                from = to;
            }
        }
        widest
    }

    /// Whether a peer in the widest gap would be worth twice as much as the one that is needed least.
    pub(crate) fn is_uneven(&self, each_side: usize) -> bool {
        let gaps = self.gaps_without(each_side);
        let least = gaps.into_iter().map(|(_, gap)| gap).min();
        least.is_some_and(|least| self.widest_gap(each_side).width() / 2 >= least)
    }

    /// The place at a distance on a side. The scale goes on beyond half of the ring as its own mirror image.
    pub(crate) fn place_at(&self, side: Side, log: LogDistance) -> Location {
        let distance = log.min(log.mirrored()).distance().to_bits();
        match side {
            Side::Above => self.me.moved_clockwise(distance),
            Side::Below => self.me.moved_clockwise(distance.wrapping_neg()),
        }
    }

    /// Those of one half of the ring outside of the lattice, nearest first, and where their part of the scale begins: at
    /// the lattice.
    fn long_links(
        &self,
        side: Side,
        each_side: usize,
    ) -> (LogDistance, Vec<(Member, LogDistance)>) {
        let on_side = |member: &Member| {
            (self.me.clockwise_to(member.location) < HALF) == (side == Side::Above)
        };
        let with_log =
            |member: Member| (member, LogDistance::of(self.me.distance(member.location)));
        let begin = each_side.min(self.members.len());
        let end = self.members.len().saturating_sub(each_side).max(begin);
        let long = self.members.get(begin..end).unwrap_or(&[]);
        let mut long: Vec<_> = long.iter().copied().filter(on_side).map(with_log).collect();
        long.sort_by_key(|&(member, log)| (log, member.peer));
        let lattice: Vec<_> = self.lattice(each_side).map(with_log).collect();
        let outermost = |here: bool| {
            let logs = lattice
                .iter()
                .filter(|(member, _)| !here || on_side(member))
                .map(|&(_, log)| log);
            logs.max()
        };
        let nearest = || {
            let logs = self
                .members
                .iter()
                .map(|member| LogDistance::of(self.me.distance(member.location)));
            logs.min()
        };
        let inner = outermost(true)
            .or_else(|| outermost(false))
            .or_else(nearest);
        (inner.unwrap_or(LogDistance::MAX), long)
    }
}

const HALF: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(places: &[f64]) -> Ring {
        let members = (1..).zip(places).map(|(peer, &place)| Member {
            peer: Some(PeerId(peer)),
            location: Location::from_fraction(place),
        });
        Ring::new(Location::from_fraction(0.5), members)
    }

    fn peers(members: impl IntoIterator<Item = Member>) -> Vec<u32> {
        let mut peers: Vec<_> = members
            .into_iter()
            .filter_map(|member| Some(member.peer?.0))
            .collect();
        peers.sort_unstable();
        peers
    }

    #[test]
    fn the_lattice_is_the_nearest_two_on_each_side() {
        let ring = ring(&[0.51, 0.52, 0.6, 0.9, 0.1, 0.49, 0.4]);
        assert_eq!(peers(ring.lattice(2)), [1, 2, 6, 7]);
        assert_eq!(peers(ring.lattice(0)), [0; 0]);
        let is_neighbour = |place: f64| ring.is_neighbour(Location::from_fraction(place), 2);
        assert!(is_neighbour(0.515) && is_neighbour(0.41));
        assert!(!is_neighbour(0.53) && !is_neighbour(0.39) && !is_neighbour(0.0));
    }

    #[test]
    fn in_a_small_network_all_are_neighbours_and_each_once() {
        let ring = ring(&[0.6, 0.7, 0.8]);
        assert_eq!(peers(ring.lattice(2)), [1, 2, 3]);
        assert!(ring.is_neighbour(Location::from_fraction(0.65), 2));
    }

    #[test]
    fn the_peer_between_two_close_ones_leaves_the_smallest_gap() {
        // Above: 0.02 and 0.021 next to each other, 0.2 alone
        let ring = ring(&[0.501, 0.502, 0.52, 0.521, 0.7, 0.499, 0.498, 0.4]);
        let (least, _) = ring
            .gaps_without(2)
            .into_iter()
            .min_by_key(|&(_, gap)| gap)
            .unwrap();
        assert_eq!(least.peer, Some(PeerId(4)));
        assert_eq!(ring.gaps_without(2).len(), 4);
    }

    #[test]
    fn links_are_uneven_if_one_is_of_little_use_and_another_would_be_of_much() {
        let lattice = [0.501, 0.502, 0.499, 0.498];
        let with = |long: &[f64]| ring(&[&lattice, long].concat());
        // Six doublings from the lattice to half of the ring, on each side
        let even = [0.508, 0.532, 0.63, 0.492, 0.468, 0.37];
        assert!(!with(&even).is_uneven(2));
        assert!(with(&[0.508, 0.509, 0.51, 0.492, 0.468, 0.37]).is_uneven(2));
        assert!(!with(&[]).is_uneven(2), "nobody could go");
    }

    #[test]
    fn the_widest_gap_is_where_a_peer_would_help_most() {
        let ring = ring(&[0.501, 0.502, 0.52, 0.7, 0.499, 0.498, 0.4]);
        let gap = ring.widest_gap(2);
        assert_eq!(gap.side, Side::Below);
        let distance = |log: LogDistance| log.distance().as_fraction();
        assert!(
            (distance(gap.from) - 0.002).abs() < 1e-4 && (distance(gap.to) - 0.1).abs() < 1e-4,
            "{gap:?}"
        );
        let place = ring.place_at(gap.side, gap.to);
        assert!((place.as_fraction() - 0.4).abs() < 1e-4, "{place:?}");
    }
}
