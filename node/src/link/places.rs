//! Who may have a handshake under way, or be a guest.
//!
//! Only someone who knows our identity can start a handshake at all, and only a peer can end it well. Somebody who got hold of
//! the identity must still not keep peers out: no address has more than a share of the places, and the last ones are
//! for addresses at which we know a peer.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::config::StrangerLimits;

/// Handshakes under way at most.
const PLACES_MAX: usize = 64;

/// With this many taken, a dialler must first prove that it receives at its address.
const PROOF_FROM: usize = 32;

/// Of those the last, only for addresses of known peers.
const KEPT_FOR_PEERS: usize = 16;

/// Handshakes from one address. A peer needs one or two.
const SHARE_MAX: usize = 8;

/// With this many from one address, further ones must prove that they come from there: else somebody could use up the
/// share of another in its name.
const SHARE_PROOF_FROM: usize = 4;

/// Places of one kind, of which no address has more than a share.
pub(crate) struct Places {
    max: usize,
    kept_for_peers: usize,
    share_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    sum: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// A place, free again when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    source: IpAddr,
}

impl Places {
    /// The places for handshakes of one endpoint.
    pub(crate) fn for_handshakes() -> Self {
        Self {
            max: PLACES_MAX,
            kept_for_peers: KEPT_FOR_PEERS,
            share_max: SHARE_MAX,
            taken: Mutex::default(),
        }
    }

    /// The places for guests of one endpoint.
    pub(crate) fn for_guests(limits: &StrangerLimits) -> Self {
        Self {
            max: limits.guests_max,
            kept_for_peers: 0,
            share_max: limits.guests_per_source_max,
            taken: Mutex::default(),
        }
    }

    /// Whether a dialler from `ip` must first prove its address.
    pub(crate) fn want_proof(&self, ip: IpAddr) -> bool {
        let taken = self.lock();
        taken.sum >= PROOF_FROM || taken.of(source(ip)) >= SHARE_PROOF_FROM
    }

    /// Takes a place for somebody at `ip`, at which a peer `is_known` or not; none if there is no room for it.
    pub(crate) fn take(self: &Arc<Self>, ip: IpAddr, is_known: bool) -> Option<Place> {
        let mut taken = self.lock();
        let room = if is_known {
            self.max
        } else {
            self.max - self.kept_for_peers
        };
        let source = source(ip);
        if taken.sum >= room || taken.of(source) >= self.share_max {
            return None;
        }
        taken.sum += 1;
        // On this machine many nodes may share the address, and who floods us from here has easier ways.
        if !source.is_loopback() {
            *taken.by_source.entry(source).or_default() += 1;
        }
        Some(Place {
            places: Arc::clone(self),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // The counts change together, without anything between that could panic.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn of(&self, source: IpAddr) -> usize {
        self.by_source.get(&source).copied().unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.sum -= 1;
        if let Some(count) = taken.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

/// What counts as one address: with IPv6 the network of 64 bits, of which everyone has all addresses.
pub(crate) fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            let network = ip.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    #[test]
    fn one_address_has_its_share_and_no_more() {
        let places = Arc::new(Places::for_handshakes());
        let taken: Vec<Place> = (0..20).map_while(|_| places.take(ip(1), true)).collect();
        assert_eq!(taken.len(), SHARE_MAX);
        assert!(places.take(ip(2), false).is_some());
        drop(taken);
        assert!(places.take(ip(1), false).is_some());
        assert!(places.lock().by_source.is_empty(), "nothing is left over");
    }

    #[test]
    fn the_addresses_of_a_network_have_one_share() {
        let places = Arc::new(Places::for_handshakes());
        let from = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 2, 3, 4, last]);
        let taken: Vec<Place> = (0..20)
            .map_while(|last| places.take(from(last), false))
            .collect();
        assert_eq!(taken.len(), SHARE_MAX);
        let other = IpAddr::from([0x2001, 0xdb8, 0, 2, 2, 3, 4, 0]);
        assert!(places.take(other, false).is_some());
        let mapped = std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped();
        assert_eq!(source(mapped.into()), ip(1));
    }

    #[test]
    fn strangers_leave_places_for_peers() {
        let places = Arc::new(Places::for_handshakes());
        let strangers: Vec<Place> = (0..100)
            .map_while(|number| places.take(ip(number), false))
            .collect();
        assert_eq!(strangers.len(), PLACES_MAX - KEPT_FOR_PEERS);
        assert!(places.take(ip(200), false).is_none());
        let peers: Vec<Place> = (100..200)
            .map_while(|number| places.take(ip(number), true))
            .collect();
        assert_eq!(peers.len(), KEPT_FOR_PEERS);
    }

    #[test]
    fn proof_is_wanted_of_the_many_and_of_an_address_in_use() {
        let places = Arc::new(Places::for_handshakes());
        let mut taken: Vec<Place> = (0..SHARE_PROOF_FROM)
            .filter_map(|_| places.take(ip(1), false))
            .collect();
        assert!(places.want_proof(ip(1)) && !places.want_proof(ip(2)));
        taken.extend((10..).map_while(|number| {
            let few = !places.want_proof(ip(2));
            few.then(|| places.take(ip(number), false)).flatten()
        }));
        assert_eq!(taken.len(), PROOF_FROM);
    }

    #[test]
    fn this_machine_has_as_many_as_there_are() {
        let places = Arc::new(Places::for_handshakes());
        let here = IpAddr::from([127, 0, 0, 1]);
        let taken: Vec<Place> = (0..100).map_while(|_| places.take(here, true)).collect();
        assert_eq!(taken.len(), PLACES_MAX);
    }
}
