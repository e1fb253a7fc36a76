//! Who is where.

use routing::Location;

/// Nodes in the order of their places.
#[derive(Clone, Debug)]
pub struct Ring {
    places: Vec<(Location, usize)>,
}

impl Ring {
    /// The nodes with these numbers at these places. There must be one.
    pub fn new(nodes: impl Iterator<Item = (usize, Location)>) -> Self {
        let mut places: Vec<_> = nodes.map(|(node, place)| (place, node)).collect();
        places.sort_unstable();
        Self { places }
    }

    /// The node closest to `target`.
    ///
    /// # Panics
    /// If there is no node.
    #[must_use]
    pub fn closest(&self, target: Location) -> usize {
        let after = self.places.partition_point(|&(place, _)| place < target);
        let len = self.places.len();
        [after % len, (after + len - 1) % len]
            .into_iter()
            .map(|at| self.places[at])
            .min_by_key(|&(place, _)| place.distance(target))
            .map_or_else(
                || unreachable!("there are two candidates"),
                |(_, node)| node,
            )
    }

    /// The `count` nodes around `target`, half of them on either side (fewer if there are fewer).
    #[must_use]
    pub fn around(&self, target: Location, count: usize) -> Vec<usize> {
        let len = self.places.len();
        let count = count.min(len);
        let after = self.places.partition_point(|&(place, _)| place < target);
        let first = after + len - count / 2;
        (first..first + count)
            .map(|at| self.places[at % len].1)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_may_be_on_the_other_side_of_zero() {
        let at = Location::from_fraction;
        let ring = Ring::new([0.9, 0.3, 0.5].map(at).into_iter().enumerate());
        assert_eq!(ring.closest(at(0.05)), 0);
        assert_eq!(ring.closest(at(0.31)), 1);
        assert_eq!(ring.closest(at(0.41)), 2);
        assert_eq!(ring.around(at(0.95), 2), [0, 1]);
        assert_eq!(ring.around(at(0.4), 9).len(), 3);
    }
}
