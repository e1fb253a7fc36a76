//! Which deadline comes first, and whose it is.

use std::collections::BTreeSet;

use crate::requests::Target;
use crate::time::Time;

/// When to look after which fetch or insert: each has exactly one deadline while it runs.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    by_time: BTreeSet<(Time, Target)>,
}

impl Deadlines {
    /// Moves the deadline of `target` from `deadline` to `to`.
    pub(crate) fn reset(&mut self, target: Target, deadline: &mut Time, to: Time) {
        self.by_time.remove(&(*deadline, target));
        *deadline = to;
        self.by_time.insert((to, target));
    }

    /// Forgets the deadline of what has ended.
    pub(crate) fn clear(&mut self, target: Target, deadline: Time) {
        self.by_time.remove(&(deadline, target));
    }

    pub(crate) fn first(&self) -> Option<Time> {
        self.by_time.first().map(|&(time, _)| time)
    }

    /// Whose deadline has passed at `now`, one for each call. Its own deadline is gone then.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<Target> {
        let &(time, target) = self.by_time.first()?;
        if time > now {
            return None;
        }
        self.by_time.pop_first();
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use crypto::{BlockKey, BlockKind, RoutingKey};

    use super::*;
    use crate::requests::Operation;

    #[test]
    fn deadlines_come_in_order_and_only_when_due() {
        let key = BlockKey {
            kind: BlockKind::Content,
            routing_key: RoutingKey::from_bytes([1; 32]),
        };
        let [fetch, insert] =
            [Operation::Fetch, Operation::Insert].map(|operation| Target { operation, key });
        let at = Time::from_micros;
        let mut deadlines = Deadlines::default();
        let (mut first, mut second) = (at(0), at(0));
        deadlines.reset(fetch, &mut first, at(20));
        deadlines.reset(insert, &mut second, at(10));
        deadlines.reset(fetch, &mut first, at(5));
        assert_eq!(
            (deadlines.first(), deadlines.pop_due(at(4))),
            (Some(at(5)), None)
        );
        assert_eq!(deadlines.pop_due(at(5)), Some(fetch));
        deadlines.clear(insert, second);
        assert_eq!((deadlines.first(), deadlines.pop_due(at(99))), (None, None));
    }
}
