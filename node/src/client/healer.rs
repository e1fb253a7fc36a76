//! Gives the network back what a fetch found missing and could rebuild.
//!
//! A block that nobody finds any more is lost for good once too many others of its segment are. Whoever reads the file has
//! just computed it; inserting it again, as any user does, keeps the file alive for the next reader.

use std::sync::Arc;

use crypto::VerifiedBlock;
use routing::Role;

use super::Shared;
use super::hiding::Way;
use super::network::Class;
use super::window::Slot;

/// Rebuilt blocks that wait to be inserted, or are being, of all fetches together: 2 MiB. Those that find no room are left to
/// later readers: healing must not hold up what the user wants, nor keep a file in memory.
pub(crate) const BLOCKS_MAX: usize = 64;

/// The right to give one block back.
pub(crate) struct Healing {
    shared: Arc<Shared>,
    way: Way,
    room: Slot,
}

impl Healing {
    /// None where there is no room. Blocks go the `way` of the fetch.
    pub(crate) fn begin(shared: &Arc<Shared>, way: Way) -> Option<Self> {
        Some(Self {
            shared: Arc::clone(shared),
            way,
            room: shared.healing.try_slot()?,
        })
    }

    /// Inserts a rebuilt block in the background, once, at bulk priority. Nobody waits for it, and nobody is told if it fails.
    pub(crate) fn insert(self, block: VerifiedBlock) {
        let Self { shared, way, room } = self;
        tokio::spawn(async move {
            let _room = room;
            let _slot = shared.windows.insert(Class::Bulk).slot().await;
            let anonymity = way.of(Role::Part);
            // A later reader finds it missing again, and tries again
            let _ = shared.network.insert(block, Class::Bulk, anonymity).await;
        });
    }
}
