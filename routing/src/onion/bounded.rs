//! Tables of relays that do not grow without end.

use std::collections::BTreeMap;

use super::list::RelayName;
use crate::time::Time;

/// Makes room for what is to be noted of `relay` in a table of `most` relays: the one with the least time goes.
pub(super) fn make_room<T>(
    table: &mut BTreeMap<RelayName, T>,
    most: usize,
    relay: &RelayName,
    time: impl Fn(&T) -> Time,
) {
    if table.len() < most || table.contains_key(relay) {
        return;
    }
    let oldest = table.iter().min_by_key(|(_, noted)| time(noted));
    if let Some(oldest) = oldest.map(|(&relay, _)| relay) {
        table.remove(&oldest);
    }
}
