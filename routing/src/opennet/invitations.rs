//! The invitations that this node has given out.

use std::collections::VecDeque;

use crate::opennet::message::Token;
use crate::time::Time;

/// Which are still good, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Invitations {
    open: VecDeque<(Token, Time)>,
}

impl Invitations {
    /// Gives one out. Where there are `max` already, the oldest lapses.
    pub(super) fn issue(&mut self, token: Token, until: Time, max: usize) {
        while self.open.len() >= max {
            self.open.pop_front();
        }
        self.open.push_back((token, until));
    }

    /// Whether a token is good. It is not any longer after that.
    pub(super) fn redeem(&mut self, token: Token, now: Time) -> bool {
        let found = self.open.iter().position(|&(open, _)| open == token);
        let entry = found.and_then(|index| self.open.remove(index));
        entry.is_some_and(|(_, until)| until > now)
    }

    pub(super) fn expire(&mut self, now: Time) {
        while self.open.front().is_some_and(|&(_, until)| until <= now) {
            self.open.pop_front();
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.open.front().map(|&(_, until)| until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_good_once_and_for_a_while_and_there_are_not_many() {
        let at = Time::from_micros;
        let mut invitations = Invitations::default();
        for token in 0..5 {
            invitations.issue(Token(token), at(10 + token), 3);
        }
        assert!(!invitations.redeem(Token(1), at(0)), "lapsed at the bound");
        assert!(invitations.redeem(Token(3), at(0)));
        assert!(!invitations.redeem(Token(3), at(0)), "good once");
        assert!(!invitations.redeem(Token(2), at(12)), "too late");
        assert_eq!(invitations.next_expiry(), Some(at(14)));
        invitations.expire(at(14));
        assert_eq!(invitations.next_expiry(), None);
    }
}
