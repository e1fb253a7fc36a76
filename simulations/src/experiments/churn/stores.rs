//! Stores of nodes that come, go, and leave for good: a model without messages.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::churn::SessionModel;
use crate::statistics::{count, share};

/// Minutes of a step: who is online is exact at its end.
const STEP: f64 = 15.0;

/// Minutes.
pub(super) const DAY: f64 = 1_440.0;

/// Blocks are inserted over one day, each hour as many.
const INSERT_HOURS: usize = 24;

/// A day's moments at which files are looked for.
const LOOKS_A_DAY: f64 = 6.0;

/// What a copy costs to send: a block, and the answer that it is kept, both padded.
const COPY_BYTES: f64 = 33_792.0 + 256.0;

/// A question whether a node has a block, and its answer, both padded.
const QUESTION_BYTES: f64 = 2.0 * 256.0;

/// How a world is set up.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) nodes: usize,
    pub(super) days: usize,
    pub(super) model: SessionModel,
    /// Which part of the nodes leaves for good each day; so many others come.
    pub(super) leave: f64,
    /// At how many of the nodes online an insert leaves a block, and a repair wants it.
    pub(super) copies: usize,
    /// Hours between two walks of a node through its store, if it walks.
    pub(super) repair: Option<f64>,
    /// Among how many of the nodes online a fetch looks, those closest to the key.
    pub(super) reach: usize,
    /// Planted fault: repair sends copies to nodes far from the key.
    pub(super) astray: bool,
}

/// A file: segments of blocks, of which `data` restore each segment.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// The first of its blocks; segments follow each other.
    pub(super) first: usize,
    pub(super) segments: usize,
    pub(super) data: usize,
    pub(super) total: usize,
}

/// One day of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Day {
    /// Which part of the looks at each file found it, file by file.
    pub(super) found: Vec<f64>,
    /// The same, of files that are somewhere on nodes online.
    pub(super) alive: Vec<f64>,
    /// Which part of the looks at a block found it.
    pub(super) blocks_found: f64,
    /// Copies of a block on nodes that have not left for good, online or not.
    pub(super) copies: f64,
    /// Which part of the nodes was online.
    pub(super) online: f64,
    /// Copies made by repair.
    pub(super) repaired: usize,
    /// Bytes that repair sent.
    pub(super) repair_bytes: f64,
    looks: usize,
}

struct Node {
    place: u64,
    online: bool,
    gone: bool,
    /// When it comes or goes, in minutes, and its best minute of the day; `None` if it always stays.
    change: Option<(f64, u16)>,
    next_walk: f64,
    blocks: Vec<usize>,
}

struct Block {
    key: u64,
    holders: Vec<usize>,
}

pub(super) struct Stores<'a> {
    rules: &'a Rules,
    files: &'a [File],
    nodes: Vec<Node>,
    blocks: Vec<Block>,
    /// Place and number of the nodes online, in the order of places.
    ring: Vec<(u64, usize)>,
    rng: ChaCha8Rng,
}

impl<'a> Stores<'a> {
    /// The days of a world; files are inserted during the first.
    pub(super) fn run(rules: &'a Rules, files: &'a [File], mut rng: ChaCha8Rng) -> Vec<Day> {
        let total = files.iter().map(|file| file.segments * file.total).sum();
        let block = |_| Block {
            key: rng.random(),
            holders: Vec::new(),
        };
        let blocks: Vec<Block> = (0..total).map(block).collect();
        let mut world = Self {
            rules,
            files,
            nodes: Vec::new(),
            blocks,
            ring: Vec::new(),
            rng,
        };
        for _ in 0..rules.nodes {
            let presence = rules.model.history(0.0, &mut world.rng);
            world.add(presence, 0.0);
        }
        (0..=rules.days).map(|day| world.day(day)).collect()
    }

    fn add(&mut self, presence: Option<(bool, f64, u16)>, now: f64) {
        let period = self.rules.repair.unwrap_or(1.0) * 60.0;
        self.nodes.push(Node {
            place: self.rng.random(),
            online: presence.is_none_or(|(online, ..)| online),
            gone: false,
            change: presence.map(|(_, change, best)| (change, best)),
            next_walk: now + period * self.rng.random::<f64>(),
            blocks: Vec::new(),
        });
    }

    fn day(&mut self, number: usize) -> Day {
        let mut day = Day {
            found: vec![0.0; self.files.len()],
            alive: vec![0.0; self.files.len()],
            ..Day::default()
        };
        let begin = count(number) * DAY;
        let (mut now, mut next_look, mut hours) = (begin, begin, 0);
        while now < begin + DAY {
            now += STEP;
            self.come_and_go(now);
            while number == 0 && hours < INSERT_HOURS && begin + 60.0 * count(hours) < now {
                self.insert(hours);
                hours += 1;
            }
            if self.rules.repair.is_some() {
                self.repair(now, &mut day);
            }
            if now > next_look {
                self.look(&mut day);
                next_look += DAY / LOOKS_A_DAY;
            }
        }
        day.close();
        day
    }

    /// Brings everybody to minute `now`.
    fn come_and_go(&mut self, now: f64) {
        let leave = 1.0 - (1.0 - self.rules.leave).powf(STEP / DAY);
        let mut left = 0;
        for index in 0..self.nodes.len() {
            if self.nodes[index].gone {
                continue;
            }
            if self.rng.random_bool(leave) {
                self.nodes[index].gone = true;
                self.nodes[index].online = false;
                self.forget(index);
                left += 1;
                continue;
            }
            self.bring(index, now);
        }
        for _ in 0..left {
            let presence = self.rules.model.history(now, &mut self.rng);
            // It comes now, for a first session
            let first = now + self.rules.model.session(&mut self.rng);
            self.add(presence.map(|(_, _, best)| (true, first, best)), now);
        }
        let online = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.online);
        self.ring = online.map(|(index, node)| (node.place, index)).collect();
        self.ring.sort_unstable();
    }

    fn bring(&mut self, index: usize, now: f64) {
        while let Some((at, best)) = self.nodes[index].change
            && at <= now
        {
            let node = &mut self.nodes[index];
            node.online = !node.online;
            let next = if node.online {
                at + self.rules.model.session(&mut self.rng)
            } else {
                let model = &self.rules.model;
                model.comes_back(at, f64::from(best), &mut self.rng)
            };
            node.change = Some((next, best));
        }
    }

    /// A node's store is lost.
    fn forget(&mut self, node: usize) {
        for block in std::mem::take(&mut self.nodes[node].blocks) {
            self.blocks[block].holders.retain(|&holder| holder != node);
        }
    }

    fn insert(&mut self, hour: usize) {
        let files = self.files;
        for file in files.iter().skip(hour).step_by(INSERT_HOURS) {
            for block in file.first..file.first + file.segments * file.total {
                for node in self.closest(self.blocks[block].key, self.rules.copies) {
                    self.store(block, node);
                }
            }
        }
    }

    fn store(&mut self, block: usize, node: usize) {
        self.blocks[block].holders.push(node);
        self.nodes[node].blocks.push(block);
    }

    /// The nodes online that are closest to a key, the closest first.
    fn closest(&self, key: u64, most: usize) -> Vec<usize> {
        let length = self.ring.len();
        let most = most.min(length);
        let start = self.ring.partition_point(|&(place, _)| place < key);
        let (mut after, mut before) = (start, start + 2 * length - 1);
        let mut found = Vec::with_capacity(most);
        while found.len() < most {
            let (up, down) = (self.ring[after % length], self.ring[before % length]);
            if distance(up.0, key) <= distance(down.0, key) {
                found.push(up.1);
                after += 1;
            } else {
                found.push(down.1);
                before -= 1;
            }
        }
        found
    }

    /// Those whose time it is walk through their stores, as routers do: the closest node to a key sees to the next ones,
    /// the others to the closest.
    fn repair(&mut self, now: f64, day: &mut Day) {
        for (_, node) in self.ring.clone() {
            if self.nodes[node].next_walk > now {
                continue;
            }
            self.nodes[node].next_walk = now + self.rules.repair.unwrap_or(f64::INFINITY) * 60.0;
            for block in self.nodes[node].blocks.clone() {
                self.repair_block(block, node, day);
            }
        }
    }

    fn repair_block(&mut self, block: usize, node: usize, day: &mut Day) {
        let key = self.blocks[block].key;
        let aim = if self.rules.astray { !key } else { key };
        let mut wanted = self.closest(aim, self.rules.copies);
        if wanted.first() != Some(&node) {
            wanted.truncate(1);
        }
        wanted.retain(|&other| other != node);
        day.repair_bytes += QUESTION_BYTES * count(wanted.len());
        wanted.retain(|other| !self.blocks[block].holders.contains(other));
        for &other in &wanted {
            self.store(block, other);
        }
        day.repaired += wanted.len();
        day.repair_bytes += COPY_BYTES * count(wanted.len());
    }

    /// Looks for everything that was inserted.
    fn look(&self, day: &mut Day) {
        let online = |block: &Block| block.holders.iter().any(|&node| self.nodes[node].online);
        let alive: Vec<bool> = self.blocks.iter().map(online).collect();
        let found: Vec<bool> = self
            .blocks
            .iter()
            .map(|block| {
                let near = self.closest(block.key, self.rules.reach);
                near.iter().any(|node| block.holders.contains(node))
            })
            .collect();
        for (index, file) in self.files.iter().enumerate() {
            day.found[index] += f64::from(u8::from(file.is_whole(&found)));
            day.alive[index] += f64::from(u8::from(file.is_whole(&alive)));
        }
        let hits = found.iter().filter(|&&found| found).count();
        day.blocks_found += share(hits, self.blocks.len());
        let copies: usize = self.blocks.iter().map(|block| block.holders.len()).sum();
        day.copies += share(copies, self.blocks.len());
        day.online += share(self.ring.len(), self.rules.nodes);
        day.looks += 1;
    }
}

impl File {
    pub(super) fn is_whole(&self, has: &[bool]) -> bool {
        let blocks = &has[self.first..self.first + self.segments * self.total];
        blocks
            .chunks(self.total)
            .all(|segment| segment.iter().filter(|&&has| has).count() >= self.data)
    }
}

impl Day {
    /// Sums become means.
    fn close(&mut self) {
        let looks = count(self.looks);
        for sum in self.found.iter_mut().chain(&mut self.alive) {
            *sum /= looks;
        }
        self.blocks_found /= looks;
        self.copies /= looks;
        self.online /= looks;
    }
}

const fn distance(one: u64, other: u64) -> u64 {
    let ahead = one.wrapping_sub(other);
    let behind = ahead.wrapping_neg();
    if ahead < behind { ahead } else { behind }
}

#[cfg(test)]
mod tests;
