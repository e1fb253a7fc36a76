use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;
use crate::event::PeerId;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const PEER: PeerId = PeerId(1);

/// A node, one of its peers, and what the node was told.
struct Told {
    config: OnionConfig,
    own: OwnKeys,
    peer: OwnKeys,
    reach: Reach,
    rng: ChaCha8Rng,
}

impl Told {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Self {
            config: OnionConfig::default(),
            own: OwnKeys::new(Time::ZERO, DAY, &mut rng),
            peer: OwnKeys::new(Time::ZERO, DAY, &mut rng),
            reach: Reach::new(),
            rng,
        }
    }

    /// A list of the peer's, with somebody else in it and the node or not.
    fn list(&self, number: u64, has_node: bool) -> NeighbourList {
        let own = has_node.then(|| name(&self.own));
        let names = own.into_iter().chain([RelayName::from_bytes([9; 32])]);
        NeighbourList::sign(self.peer.current(), number, names.collect())
    }

    fn hear(&mut self, at: Time, number: u64, has_node: bool) {
        let list = self.list(number, has_node);
        self.reach.hear(at, &self.config, &self.own, PEER, list);
    }

    fn seen(&mut self, number: u64, has_node: bool) -> Option<Lie> {
        let list = self.list(number, has_node);
        self.reach.contradicted_by(&self.own, &list)
    }

    /// Who is convicted after a list with this number was seen, if `meanwhile` happens.
    fn convicted(&mut self, number: u64, meanwhile: impl FnOnce(&mut Self)) -> Vec<RelayName> {
        let relay = name(&self.peer);
        let grace = self.config.lists_grace;
        self.reach.suspect(Time::ZERO, &self.config, &relay, number);
        assert_eq!(self.reach.next_verdict(), Some(Time::ZERO + grace));
        meanwhile(self);
        let early = Time::ZERO + grace / 2;
        assert_eq!(self.reach.convict(early, &self.own), []);
        let convicted = self.reach.convict(Time::ZERO + grace, &self.own);
        assert_eq!(self.reach.next_verdict(), None);
        convicted
    }
}

#[test]
fn a_list_from_before_this_node_had_its_name_is_no_lie() {
    let mut told = Told::new();
    told.hear(Time::ZERO, 2, true);
    told.hear(Time::ZERO, 4, true);
    let before = told.list(3, true);
    assert_eq!(told.reach.contradicted_by(&told.own, &before), None);

    // Its name changes, the peer lists the new one, and the former one is forgotten
    let (rng, day) = (&mut told.rng, Time::ZERO + DAY);
    assert!(told.own.rotate(day, DAY * 9, DAY, rng));
    assert_eq!(told.seen(3, false), None);
    told.hear(Time::ZERO + DAY, 6, true);
    let rng = &mut told.rng;
    assert!(!told.own.rotate(day + DAY * 2, DAY * 9, DAY, rng));
    assert_eq!(told.reach.contradicted_by(&told.own, &before), None);

    assert_eq!(told.seen(7, false), Some(Lie::LeavesOut));
    assert_eq!(told.seen(6, false), Some(Lie::TwoLists));
}

#[test]
fn who_keeps_telling_two_stories_is_convicted() {
    let mut told = Told::new();
    told.hear(Time::ZERO, 2, true);
    let liar = name(&told.peer);
    let keeps_on = |told: &mut Told| told.hear(Time::ZERO, 5, true);
    assert_eq!(told.convicted(3, keeps_on), [liar]);
}

#[test]
fn who_gave_up_the_link_is_not() {
    let mut told = Told::new();
    told.hear(Time::ZERO, 2, true);
    let says_so = |told: &mut Told| told.hear(Time::ZERO, 4, false);
    assert_eq!(told.convicted(3, says_so), []);
    // It has the link again, and what it says is overtaken
    told.hear(Time::ZERO, 5, true);
    told.hear(Time::ZERO, 8, true);
    let overtaken = |told: &mut Told| told.hear(Time::ZERO, 7, false);
    assert_eq!(told.convicted(7, overtaken), []);
    // And again
    told.hear(Time::ZERO, 9, true);
    let is_gone = |told: &mut Told| {
        told.reach.peer_down(Time::ZERO, &told.config, PEER);
        told.hear(Time::ZERO, 12, true);
    };
    assert_eq!(told.convicted(10, is_gone), []);
}
