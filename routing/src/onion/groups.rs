//! What belongs together among the user's requests.

use std::collections::BTreeMap;

use super::anonymity::Group;
use crate::time::Time;

/// How much each group has asked for.
#[derive(Debug, Default)]
pub(super) struct Groups {
    known: BTreeMap<Group, Asked>,
}

/// Of one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// Blocks among many, so far.
    pub(super) parts: u32,
    /// Of those, how many are not answered yet.
    pub(super) parts_open: u32,
    at: Time,
}

impl Groups {
    pub(super) fn of(&self, group: Group) -> Asked {
        self.known.get(&group).copied().unwrap_or_default()
    }

    /// A group asks for a block among many.
    pub(super) fn part_begun(&mut self, now: Time, group: Group) {
        if self.known.len() >= GROUPS_MAX && !self.known.contains_key(&group) {
            let idle = self.known.iter().filter(|(_, asked)| asked.parts_open == 0);
            let oldest = idle.min_by_key(|(_, asked)| asked.at);
            if let Some(oldest) = oldest.map(|(&group, _)| group) {
                self.known.remove(&oldest);
            }
        }
        let asked = self.known.entry(group).or_default();
        asked.parts = asked.parts.saturating_add(1);
        asked.parts_open = asked.parts_open.saturating_add(1);
        asked.at = now;
    }

    pub(super) fn part_ended(&mut self, group: Group) {
        if let Some(asked) = self.known.get_mut(&group) {
            asked.parts_open = asked.parts_open.saturating_sub(1);
        }
    }
}

/// More than a user has files, sites and documents under way. Those with open requests stay beyond it; these are bounded
/// themselves.
const GROUPS_MAX: usize = 256;
