//! What a node does now and then.

use std::sync::Weak;
use std::time::Duration;

use crypto::NodeId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Core;

/// How long a peer that broke the protocol is not spoken to. A guess: long enough to cost an attacker's flood its
/// point, short enough that a friend with a defective version comes back soon after repairing it.
pub(super) const QUARANTINE: Duration = Duration::from_mins(10);

/// Links again with peers that broke the protocol, each after its time. Ends with the event loop.
pub(super) async fn quarantine(core: Weak<Core>, mut offenders: mpsc::Receiver<NodeId>) {
    let mut waiting = JoinSet::new();
    loop {
        let pardoned = tokio::select! {
            offender = offenders.recv() => match offender {
                Some(id) => {
                    waiting.spawn(async move {
                        tokio::time::sleep(QUARANTINE).await;
                        id
                    });
                    continue;
                }
                None => return,
            },
            Some(Ok(id)) = waiting.join_next() => id,
        };
        let Some(core) = core.upgrade() else { return };
        core.reconnect(pardoned);
    }
}

/// How often the peers of the opennet are written down: a node that is killed has most of them still.
const REMEMBER_INTERVAL: Duration = Duration::from_mins(1);

/// Keeps the file of remembered peers new as long as the node runs, and what strangers are told of its addresses.
pub(super) async fn remember_now_and_then(core: Weak<Core>) {
    let mut interval = tokio::time::interval(REMEMBER_INTERVAL);
    interval.tick().await;
    loop {
        interval.tick().await;
        match core.upgrade() {
            Some(core) if core.remembered.is_some() => {
                core.renew_record().await;
                core.remember().await;
            }
            _ => return,
        }
    }
}
