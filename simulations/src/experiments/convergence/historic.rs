//! The network of the paper of 2000 as a model: tables of keys and the nodes they are expected at, filled by what passes.
//! Nothing of it is ours; our routers have places and links.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::random::mix;

/// How many blocks a node keeps.
const STORE: usize = 50;

/// How many entries a node's table has.
const TABLE: usize = 250;

/// How many nodes an insert, or a request that fills the tables, visits.
const HOPS: usize = 20;

/// What the paper leaves open, and the planted fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Whom the nodes on an insert's way remember for its key.
    pub(super) source: Source,
    /// Which part of all operations inserts.
    pub(super) inserts: f64,
    /// Operations in a step.
    pub(super) operations: usize,
    /// The probability that a node on the way puts itself in the source's place.
    pub(super) resetting: f64,
    /// Which entry of its table a node follows.
    pub(super) choice: Choice,
}

/// Whom the nodes on an insert's way remember for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The node that inserts.
    Inserter,
    /// The last node that the insert comes to.
    Last,
}

/// Which entry of its table a node follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The one with the key closest to that sought.
    Closest,
    /// Any: a planted fault.
    Any,
}

/// The network.
pub(super) struct Historic {
    rules: Rules,
    nodes: Vec<Node>,
    /// What was inserted so far.
    keys: Vec<u64>,
    /// Counts uses, for what was used least recently.
    clock: u64,
    /// In which search each node was last visited.
    visited: Vec<u64>,
    search: u64,
    rng: ChaCha8Rng,
}

#[derive(Default)]
struct Node {
    store: Vec<Used<()>>,
    table: Vec<Used<usize>>,
}

/// Something kept under a key until others were used later.
struct Used<T> {
    key: u64,
    value: T,
    at: u64,
}

/// What a search did.
struct Search {
    /// From who asked to where it ended, without the nodes that it backed out of.
    path: Vec<usize>,
    /// The nodes visited, the first not counted.
    visited: usize,
    found: bool,
}

impl Historic {
    /// Empty stores; each node knows two nodes to each side.
    pub(super) fn new(nodes: usize, rules: Rules, mut rng: ChaCha8Rng) -> Self {
        let places: Vec<u64> = (0..nodes).map(|_| rng.random()).collect();
        let known = |node: usize| Node {
            store: Vec::new(),
            table: [1, 2, nodes - 2, nodes - 1]
                .map(|step| (node + step) % nodes)
                .map(|other| Used::new(places[other], other, 0))
                .into(),
        };
        Self {
            rules,
            nodes: (0..nodes).map(known).collect(),
            keys: Vec::new(),
            clock: 0,
            visited: vec![0; nodes],
            search: 0,
            rng,
        }
    }

    /// One step of the paper's time.
    pub(super) fn step(&mut self) {
        for _ in 0..self.rules.operations {
            if self.keys.is_empty() || self.rng.random_bool(self.rules.inserts) {
                self.insert();
            } else {
                self.request();
            }
        }
    }

    /// How many nodes a request for a random known key visits, which leaves nothing behind; `None` if it finds nothing.
    pub(super) fn probe(&mut self, hops: usize) -> Option<usize> {
        let (from, key) = self.any();
        let search = self.search(from, Some(key), key, hops);
        search.found.then_some(search.visited)
    }

    fn any(&mut self) -> (usize, u64) {
        let node = self.rng.random_range(0..self.nodes.len());
        (node, self.keys[self.rng.random_range(0..self.keys.len())])
    }

    fn insert(&mut self) {
        let (from, key) = (
            self.rng.random_range(0..self.nodes.len()),
            self.rng.random(),
        );
        self.keys.push(key);
        let path = self.search(from, None, key, HOPS).path;
        let mut source = match self.rules.source {
            Source::Inserter => from,
            Source::Last => path.last().copied().unwrap_or(from),
        };
        for node in path {
            self.pass(node, key, &mut source);
        }
    }

    fn request(&mut self) {
        let (from, key) = self.any();
        let Search { path, found, .. } = self.search(from, Some(key), key, HOPS);
        if let (true, Some((&holder, asking))) = (found, path.split_last()) {
            let mut source = holder;
            self.keep(holder, key);
            for &node in asking.iter().rev() {
                self.pass(node, key, &mut source);
            }
        }
    }

    /// A block passes a node.
    fn pass(&mut self, node: usize, key: u64, source: &mut usize) {
        if self.rng.random_bool(self.rules.resetting) {
            *source = node;
        }
        self.keep(node, key);
        if *source != node {
            self.clock += 1;
            let entry = Used::new(key, *source, self.clock);
            remember(&mut self.nodes[node].table, entry, TABLE);
        }
    }

    fn keep(&mut self, node: usize, key: u64) {
        self.clock += 1;
        let entry = Used::new(key, (), self.clock);
        remember(&mut self.nodes[node].store, entry, STORE);
    }

    /// Goes towards `key` in depth first and looks for `wanted`, which an insert does not.
    fn search(&mut self, from: usize, wanted: Option<u64>, key: u64, hops: usize) -> Search {
        self.search += 1;
        self.visited[from] = self.search;
        let mut search = Search {
            path: vec![from],
            visited: 0,
            found: self.has(from, wanted),
        };
        while let Some(&here) = search.path.last()
            && !search.found
            && search.visited < hops
        {
            if let Some(next) = self.next(here, key) {
                self.visited[next] = self.search;
                search.visited += 1;
                search.path.push(next);
                search.found = self.has(next, wanted);
            } else {
                search.path.pop();
            }
        }
        search
    }

    fn has(&self, node: usize, wanted: Option<u64>) -> bool {
        wanted.is_some_and(|key| self.nodes[node].store.iter().any(|kept| kept.key == key))
    }

    /// Where the node passes a search that has not been there.
    fn next(&self, node: usize, key: u64) -> Option<usize> {
        let apart = |entry: &&Used<usize>| {
            let ahead = entry.key.wrapping_sub(key);
            let distance = ahead.min(ahead.wrapping_neg());
            match self.rules.choice {
                Choice::Closest => distance,
                Choice::Any => mix(entry.key ^ self.search),
            }
        };
        let table = self.nodes[node].table.iter();
        table
            .filter(|entry| self.visited[entry.value] != self.search)
            .min_by_key(apart)
            .map(|entry| entry.value)
    }
}

impl<T> Used<T> {
    const fn new(key: u64, value: T, at: u64) -> Self {
        Self { key, value, at }
    }
}

/// Puts an entry in place of an older one of its key, or of the one that was used least recently if all is full.
fn remember<T>(entries: &mut Vec<Used<T>>, entry: Used<T>, most: usize) {
    let same = entries.iter().position(|old| old.key == entry.key);
    let oldest = || {
        let least = entries.iter().enumerate().min_by_key(|(_, old)| old.at);
        least.map(|(index, _)| index)
    };
    let place = same.or_else(|| (entries.len() >= most).then(oldest).flatten());
    match place {
        Some(index) => entries[index] = entry,
        None => entries.push(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;

    fn rules(source: Source) -> Rules {
        Rules {
            source,
            inserts: 0.5,
            operations: 1,
            resetting: 0.0,
            choice: Choice::Closest,
        }
    }

    #[test]
    fn an_insert_is_kept_on_its_way_and_remembered_at_its_source() {
        for source in [Source::Inserter, Source::Last] {
            let mut world = Historic::new(100, rules(source), rng_for(1, "test"));
            world.insert();
            let key = world.keys[0];
            let keepers = (0..100).filter(|&node| world.has(node, Some(key))).count();
            assert_eq!(keepers, HOPS + 1);
            let sources: Vec<usize> = (0..100)
                .flat_map(|node| &world.nodes[node].table)
                .filter(|entry| entry.key == key)
                .map(|entry| entry.value)
                .collect();
            assert_eq!(sources.len(), HOPS);
            assert!(sources.iter().all(|&node| node == sources[0]));
            assert_eq!(world.probe(100).map(|visited| visited < 100), Some(true));
        }
    }

    #[test]
    fn a_full_table_forgets_what_was_used_least_recently() {
        let mut table = Vec::new();
        for at in 0..4 {
            remember(&mut table, Used::new(at, (), at), 3);
        }
        remember(&mut table, Used::new(1, (), 9), 3);
        remember(&mut table, Used::new(7, (), 10), 3);
        let mut keys: Vec<u64> = table.iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        assert_eq!(keys, [1, 3, 7]);
    }
}
