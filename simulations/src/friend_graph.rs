//! Who is whose friend: graphs that nobody shaped for routing.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::statistics::count;
use crate::topology::harmonic_gap;

/// An undirected graph, kept compactly: friends of one node stand beside each other.
#[derive(Clone, Debug)]
pub struct FriendGraph {
    begins: Vec<usize>,
    friends: Vec<u32>,
}

impl FriendGraph {
    /// `nodes` on a ring that nobody knows, each of which draws `links` friends with a probability that falls as the distance
    /// grows (1/d). Without a lattice.
    #[must_use]
    pub fn kleinberg(nodes: usize, links: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut pairs = Vec::with_capacity(nodes * links);
        for node in 0..nodes {
            for _ in 0..links {
                pairs.push((node, far_friend(node, nodes, rng)));
            }
        }
        Self::from_pairs(nodes, pairs)
    }

    /// The same with `near` friends on each side besides: friends of friends are friends, as among people.
    #[must_use]
    pub fn clustered(nodes: usize, near: usize, far: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut pairs = Vec::with_capacity(nodes * (near + far));
        for node in 0..nodes {
            pairs.extend((1..=near).map(|step| (node, (node + step) % nodes)));
            for _ in 0..far {
                pairs.push((node, far_friend(node, nodes, rng)));
            }
        }
        Self::from_pairs(nodes, pairs)
    }

    /// A stand-in for a web of trust: people of very different popularity (a power law of exponent 2.8) along a ring of
    /// interests, friends with a probability that grows with both popularities and falls with the distance to the power of
    /// 1.3; `degree` friends on the average. Those whom the largest part does not reach are left out.
    #[must_use]
    pub fn social(nodes: usize, degree: f64, rng: &mut ChaCha8Rng) -> Self {
        let popularity: Vec<f64> = (0..nodes)
            .map(|_| {
                (1.0 - rng.random::<f64>())
                    .powf(-1.0 / 1.8)
                    .min(count(nodes).sqrt())
            })
            .collect();
        let interest: Vec<f64> = (0..nodes).map(|_| rng.random()).collect();
        let total: f64 = popularity.iter().sum();
        // Found by trying: the tail of the probability beyond certainty adds to the friends that are certain
        let density = degree * total / count(nodes) / 13.0;
        let mut pairs = Vec::new();
        for a in 0..nodes {
            for b in 0..a {
                let around = (interest[a] - interest[b]).abs();
                let distance = 2.0 * around.min(1.0 - around);
                let pull = density * popularity[a] * popularity[b] / (total * distance);
                if pull >= 1.0 || rng.random::<f64>() < pull.powf(1.3) {
                    pairs.push((a, b));
                }
            }
        }
        Self::from_pairs(nodes, pairs).largest_part()
    }

    /// Those who have `least` friends at least among themselves: the others leave, one after the other, until all have (a
    /// core). Nobody may be left.
    #[must_use]
    pub fn core(&self, least: usize) -> Self {
        let mut degrees: Vec<usize> = (0..self.len()).map(|node| self.degree(node)).collect();
        let mut leaving: Vec<usize> = (0..self.len())
            .filter(|&node| degrees[node] < least)
            .collect();
        let mut gone = vec![false; self.len()];
        while let Some(node) = leaving.pop() {
            if std::mem::replace(&mut gone[node], true) {
                continue;
            }
            for friend in self.friends(node).filter(|&friend| !gone[friend]) {
                degrees[friend] -= 1;
                if degrees[friend] < least {
                    leaving.push(friend);
                }
            }
        }
        let kept: Vec<usize> = (0..self.len()).filter(|&node| !gone[node]).collect();
        self.part(&kept).largest_part()
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.begins.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many friendships there are.
    #[must_use]
    pub const fn links(&self) -> usize {
        self.friends.len() / 2
    }

    /// The friends of a node.
    pub fn friends(&self, node: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let friends = &self.friends[self.begins[node]..self.begins[node + 1]];
        friends.iter().map(|&friend| friend as usize)
    }

    /// How many friends a node has.
    #[must_use]
    pub fn degree(&self, node: usize) -> usize {
        self.begins[node + 1] - self.begins[node]
    }

    /// A random friend; `None` for a node that has none.
    pub(crate) fn random_friend(&self, node: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        let degree = self.degree(node);
        (degree > 0).then(|| self.friends[self.begins[node] + rng.random_range(0..degree)] as usize)
    }

    fn from_pairs(nodes: usize, mut pairs: Vec<(usize, usize)>) -> Self {
        for pair in &mut pairs {
            *pair = (pair.0.min(pair.1), pair.0.max(pair.1));
        }
        pairs.retain(|(a, b)| a != b);
        pairs.sort_unstable();
        pairs.dedup();
        let mut begins = vec![0; nodes + 1];
        for &(a, b) in &pairs {
            begins[a + 1] += 1;
            begins[b + 1] += 1;
        }
        for node in 0..nodes {
            begins[node + 1] += begins[node];
        }
        let mut next = begins.clone();
        let mut friends = vec![0; pairs.len() * 2];
        for (a, b) in pairs {
            for (node, friend) in [(a, b), (b, a)] {
                friends[next[node]] =
                    u32::try_from(friend).expect("graphs have fewer than 2^32 nodes");
                next[node] += 1;
            }
        }
        Self { begins, friends }
    }

    fn largest_part(&self) -> Self {
        let mut part = vec![usize::MAX; self.len()];
        let mut sizes = Vec::new();
        for start in 0..self.len() {
            if part[start] == usize::MAX {
                sizes.push(self.mark_part(start, sizes.len(), &mut part));
            }
        }
        let largest = (0..sizes.len()).max_by_key(|&index| sizes[index]);
        let kept: Vec<usize> = (0..self.len())
            .filter(|&node| Some(part[node]) == largest)
            .collect();
        self.part(&kept)
    }

    /// Some of the nodes, and the friendships among them.
    fn part(&self, kept: &[usize]) -> Self {
        let mut name = vec![None; self.len()];
        for (new, &old) in kept.iter().enumerate() {
            name[old] = Some(new);
        }
        let all = kept
            .iter()
            .flat_map(|&node| self.friends(node).map(move |friend| (node, friend)));
        let pairs = all
            .filter_map(|(node, friend)| name[node].zip(name[friend]))
            .collect();
        Self::from_pairs(kept.len(), pairs)
    }

    /// Marks all that one node reaches, and says how many they are.
    fn mark_part(&self, start: usize, number: usize, part: &mut [usize]) -> usize {
        part[start] = number;
        let (mut open, mut size) = (vec![start], 0);
        while let Some(node) = open.pop() {
            size += 1;
            let new = open.len();
            open.extend(
                self.friends(node)
                    .filter(|&friend| part[friend] == usize::MAX),
            );
            for &friend in &open[new..] {
                part[friend] = number;
            }
        }
        size
    }
}

fn far_friend(node: usize, nodes: usize, rng: &mut ChaCha8Rng) -> usize {
    let step = harmonic_gap(nodes, rng);
    if rng.random() {
        (node + step) % nodes
    } else {
        (node + nodes - step) % nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;

    #[test]
    fn friendships_are_mutual_and_as_many_as_asked_for() {
        let mut rng = rng_for(1, "graph");
        for (graph, degrees) in [
            (FriendGraph::kleinberg(1_000, 5, &mut rng), 8.5..10.0),
            (FriendGraph::clustered(1_000, 4, 2, &mut rng), 10.5..12.0),
            (FriendGraph::social(1_500, 10.6, &mut rng), 8.0..13.5),
        ] {
            let degree = 2.0 * count(graph.links()) / count(graph.len());
            assert!(degrees.contains(&degree), "{degree}");
            for node in 0..graph.len() {
                assert!(graph.friends(node).all(|friend| friend != node));
                assert!(
                    graph
                        .friends(node)
                        .all(|friend| graph.friends(friend).any(|back| back == node))
                );
            }
        }
    }

    #[test]
    fn everybody_in_a_core_has_so_many_friends_there() {
        let graph = FriendGraph::social(1_500, 14.0, &mut rng_for(3, "graph"));
        let core = graph.core(8);
        assert!(
            core.len() > 200 && core.len() < graph.len(),
            "{}",
            core.len()
        );
        assert!((0..core.len()).all(|node| core.degree(node) >= 8));
        assert!((0..graph.len()).any(|node| graph.degree(node) < 8));
    }

    #[test]
    fn popularity_differs_among_people() {
        let graph = FriendGraph::social(2_000, 10.0, &mut rng_for(2, "graph"));
        let most = (0..graph.len())
            .map(|node| graph.degree(node))
            .max()
            .unwrap();
        assert!(most > 60, "{most}");
        assert!(graph.len() > 1_900, "{}", graph.len());
    }
}
