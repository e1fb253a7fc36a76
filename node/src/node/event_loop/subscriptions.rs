//! Blocks that somebody in this node waits for.

use std::collections::BTreeMap;

use crypto::BlockKey;
use routing::Event;
use tokio::sync::oneshot;

use super::EventLoop;

/// Keys at a time: as many as the router takes. Whoever comes later hears nothing, and has to ask from time to time.
const KEYS_MAX: usize = 1024;

/// Who waits for which block. An end whose other end was dropped waits no longer.
#[derive(Default)]
pub(super) struct Subscriptions(BTreeMap<BlockKey, Vec<oneshot::Sender<()>>>);

impl Subscriptions {
    /// Whether this is the first who waits for the block.
    fn add(&mut self, key: BlockKey, appeared: oneshot::Sender<()>) -> bool {
        if self.0.len() >= KEYS_MAX && !self.0.contains_key(&key) {
            return false;
        }
        let waiting = self.0.entry(key).or_default();
        waiting.retain(|one| !one.is_closed());
        waiting.push(appeared);
        waiting.len() == 1
    }

    /// Whether nobody waits for the block any longer.
    fn is_over(&mut self, key: &BlockKey) -> bool {
        let Some(waiting) = self.0.get_mut(key) else {
            return false;
        };
        waiting.retain(|one| !one.is_closed());
        waiting.is_empty() && self.0.remove(key).is_some()
    }
}

impl EventLoop {
    /// Somebody waits for a block.
    pub(super) fn subscribe(&mut self, key: BlockKey, appeared: oneshot::Sender<()>) {
        if self.subscriptions.add(key, appeared) {
            self.handle(Event::Subscribe { key });
        }
    }

    /// Somebody does not wait any longer for a block.
    pub(super) fn unsubscribe(&mut self, key: BlockKey) {
        if self.subscriptions.is_over(&key) {
            self.handle(Event::Unsubscribe { key });
        }
    }

    /// A block has come. The router's subscription is over.
    pub(super) fn appeared(&mut self, key: BlockKey) {
        for appeared in self.subscriptions.0.remove(&key).into_iter().flatten() {
            // Who waited may have gone.
            let _ = appeared.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{BlockKind, RoutingKey};

    fn key(number: usize) -> BlockKey {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        BlockKey {
            kind: BlockKind::Signed,
            routing_key: RoutingKey::from_bytes(bytes),
        }
    }

    #[test]
    fn a_subscription_lasts_as_long_as_anybody_waits() {
        let mut subscriptions = Subscriptions::default();
        let (first, first_waits) = oneshot::channel();
        let (second, second_waits) = oneshot::channel();
        assert!(subscriptions.add(key(1), first));
        assert!(!subscriptions.add(key(1), second));
        drop(first_waits);
        assert!(!subscriptions.is_over(&key(1)));
        drop(second_waits);
        assert!(subscriptions.is_over(&key(1)));
        assert!(!subscriptions.is_over(&key(1)), "it is over once");
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut subscriptions = Subscriptions::default();
        let waiting: Vec<_> = (0..KEYS_MAX)
            .map(|number| {
                let (appeared, waits) = oneshot::channel();
                assert!(subscriptions.add(key(number), appeared));
                waits
            })
            .collect();
        let (appeared, _waits) = oneshot::channel();
        assert!(!subscriptions.add(key(KEYS_MAX), appeared));
        assert_eq!(waiting.len(), subscriptions.0.len());
    }
}
