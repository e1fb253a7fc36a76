//! How far fetches go: seen from above, since no message says it.

use std::collections::BTreeMap;

use crypto::BlockKey;

/// The searches for the keys that users wait for.
#[derive(Debug, Default)]
pub(super) struct Paths {
    by_key: BTreeMap<BlockKey, Search>,
}

/// All that is done for one key, whoever asks for it.
#[derive(Debug, Default)]
struct Search {
    /// How many users wait for it.
    users: u32,
    /// How many hops each node that was asked is away from a user.
    depths: BTreeMap<u32, u32>,
    path: Path,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    /// How far away from the user the block was found first.
    pub(super) hops: Option<u32>,
    /// How often a node was asked.
    pub(super) asked: u32,
}

impl Paths {
    /// A user of `node` asks for a key.
    pub(super) fn begin(&mut self, node: u32, key: BlockKey) {
        let search = self.by_key.entry(key).or_default();
        search.users += 1;
        search.depths.insert(node, 0);
    }

    /// A node asks another one for a key.
    pub(super) fn asks(&mut self, from: u32, to: u32, key: &BlockKey) {
        if let Some(search) = self.by_key.get_mut(key) {
            search.path.asked += 1;
            let depth = search.depths.get(&from).map_or(1, |depth| depth + 1);
            search.depths.entry(to).or_insert(depth);
        }
    }

    /// A node looked for the block in its store and found it.
    pub(super) fn found(&mut self, node: u32, key: &BlockKey) {
        if let Some(search) = self.by_key.get_mut(key)
            && search.path.hops.is_none()
        {
            search.path.hops = search.depths.get(&node).copied();
        }
    }

    /// What was done for a user's fetch that has ended.
    pub(super) fn end(&mut self, key: &BlockKey) -> Path {
        let Some(search) = self.by_key.get_mut(key) else {
            return Path::default();
        };
        let path = search.path;
        search.users -= 1;
        if search.users == 0 {
            self.by_key.remove(key);
        }
        path
    }
}
