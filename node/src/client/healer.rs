//! Gives the network back what a fetch found missing and could rebuild.
//!
//! A block that nobody finds any more is lost for good once too many others of its segment are. Whoever reads the file has
//! just computed it; inserting it again, as any user does, keeps the file alive for the next reader.

use std::sync::Arc;

use crypto::{BlockKey, FileKey, Layout, seal_content};
use routing::Role;
use tokio::sync::Semaphore;

use super::Shared;
use super::hiding::Way;
use super::network::Class;

/// Rebuilt blocks that wait to be inserted, or are being: 2 MiB. Those that find no room are left to later readers: healing
/// must not hold up what the user wants, nor keep a file in memory.
const BLOCKS_MAX: usize = 64;

/// Room for rebuilt blocks, of all fetches together.
#[derive(Debug)]
pub(crate) struct Healer(Arc<Semaphore>);

/// A data shard that was computed from others, and where it belongs.
pub(crate) struct Rebuilt<'a> {
    pub(crate) file_key: &'a FileKey,
    pub(crate) layout: Layout,
    /// Its block's number in the file.
    pub(crate) number: u64,
    pub(crate) shard: &'a [u8],
    /// The key under which it was not found.
    pub(crate) key: BlockKey,
}

impl Healer {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BLOCKS_MAX)))
    }
}

/// Inserts a rebuilt block in the background, once, at bulk priority, and hidden as the fetch was. Nobody waits for it, and
/// nobody is told if it fails.
pub(crate) fn heal(shared: &Arc<Shared>, way: Way, rebuilt: &Rebuilt<'_>) {
    let Ok(room) = Arc::clone(&shared.healer.0).try_acquire_owned() else {
        return;
    };
    let Rebuilt {
        file_key,
        layout,
        number,
        shard,
        key,
    } = rebuilt;
    // A publisher's check blocks may not belong to its data blocks: then this is not the block that is missing
    let block = seal_content(file_key, layout, *number, shard);
    let Some(block) = block.ok().filter(|block| block.key() == *key) else {
        return;
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let _room = room;
        let _slot = shared.windows.insert(Class::Bulk).slot().await;
        let insert = shared
            .network
            .insert(block, Class::Bulk, way.of(Role::Part));
        // A later reader finds it missing again, and tries again
        let _ = insert.await;
    });
}
