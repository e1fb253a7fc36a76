//! Who is linked with whom in the demonstration network: a small world on the ring of locations.

use std::collections::BTreeSet;

/// Neighbours on each side of the ring. Two, as the lattice of the opennet design: with one, a single
/// lost node would cut the ring.
const LATTICE_REACH: usize = 2;

/// Pairs `(a, b)` with `a < b` of indices into `locations` that shall be linked.
///
/// Every node is linked with its two nearest neighbours on each side, and with one further node at about
/// `nodes / 4` or `nodes / 2` steps, alternating: Kleinberg's long links, drawn without chance so that a second start
/// builds the same network.
pub(super) fn small_world(locations: &[f64]) -> BTreeSet<(usize, usize)> {
    let count = locations.len();
    let mut ring: Vec<usize> = (0..count).collect();
    ring.sort_by(|a, b| locations[*a].total_cmp(&locations[*b]));
    let mut links = BTreeSet::new();
    for (position, node) in ring.iter().enumerate() {
        let long = if position % 2 == 0 {
            count / 2
        } else {
            count / 4
        };
        for step in (1..=LATTICE_REACH).chain([long]) {
            let other = ring[(position + step) % count];
            if other != *node {
                links.insert((*node.min(&other), *node.max(&other)));
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degree(links: &BTreeSet<(usize, usize)>, node: usize) -> usize {
        links
            .iter()
            .filter(|(a, b)| *a == node || *b == node)
            .count()
    }

    #[test]
    fn twelve_nodes_have_five_or_six_links_each() {
        let locations: Vec<f64> = (0..12).map(|i| f64::from(i * 7 % 12) / 12.0).collect();
        let links = small_world(&locations);
        for node in 0..12 {
            assert!(
                (5..=6).contains(&degree(&links, node)),
                "node {node}: {}",
                degree(&links, node)
            );
        }
    }

    #[test]
    fn ring_neighbours_are_linked() {
        let locations = [0.9, 0.1, 0.5, 0.3, 0.7, 0.2, 0.8];
        let links = small_world(&locations);
        assert!(
            links.contains(&(0, 1)),
            "0.9 and 0.1 are neighbours across the origin"
        );
        assert!(links.contains(&(1, 5)));
    }

    #[test]
    fn one_or_two_nodes_are_no_special_case() {
        assert!(small_world(&[]).is_empty());
        assert!(small_world(&[0.5]).is_empty());
        assert_eq!(small_world(&[0.5, 0.6]).len(), 1);
    }
}
