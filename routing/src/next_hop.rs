//! The choice of the next peer.

use crate::event::PeerId;
use crate::location::{Distance, Location};

/// The peer closest to `target` among those for which `usable` holds. Of two at the same distance, the lower handle.
pub(crate) fn closest(
    peers: impl Iterator<Item = (PeerId, Location)>,
    target: Location,
    usable: impl Fn(PeerId) -> bool,
) -> Option<(PeerId, Distance)> {
    peers
        .filter(|&(id, _)| usable(id))
        .map(|(id, location)| (id, location.distance(target)))
        .min_by_key(|&(id, distance)| (distance, id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_closest_usable_peer_is_chosen_across_zero() {
        let at = |id, fraction| (PeerId(id), Location::from_fraction(fraction));
        let peers = [at(1, 0.3), at(2, 0.96), at(3, 0.1)];
        let target = Location::from_fraction(0.01);
        let chosen = |usable: fn(PeerId) -> bool| {
            closest(peers.into_iter(), target, usable).map(|(id, _)| id)
        };
        assert_eq!(chosen(|_| true), Some(PeerId(2)));
        assert_eq!(chosen(|id| id != PeerId(2)), Some(PeerId(3)));
        assert_eq!(chosen(|_| false), None);
    }

    proptest! {
        #[test]
        fn no_usable_peer_is_closer(places in prop::collection::vec(0.0..1.0_f64, 1..20), target in 0.0..1.0_f64) {
            let target = Location::from_fraction(target);
            let peers: Vec<_> = (0..).map(PeerId).zip(places.into_iter().map(Location::from_fraction)).collect();
            let (_, distance) = closest(peers.iter().copied(), target, |_| true).unwrap();
            prop_assert!(peers.iter().all(|(_, location)| location.distance(target) >= distance));
        }
    }
}
