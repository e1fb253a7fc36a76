//! How well a peer does what it is asked.

use crate::time::Time;

/// What became of the last questions to a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Merit {
    asked: u16,
    late: u16,
    found: u16,
    /// When it last found a block.
    pub(crate) found_at: Time,
}

/// What became of the last questions to a peer: about the last hundred, older ones counting half each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerMerit {
    /// How many there were.
    pub asked: u16,
    /// Of those, how many it answered with the block that was wanted.
    pub found: u16,
    /// Of those, how many it did not answer in time.
    pub late: u16,
}

impl Merit {
    /// For people.
    pub(crate) const fn view(&self) -> PeerMerit {
        PeerMerit {
            asked: self.asked,
            found: self.found,
            late: self.late,
        }
    }

    /// It gave the block that it was asked for.
    pub(crate) fn found(&mut self, now: Time) {
        self.count();
        self.found += 1;
        self.found_at = now;
    }

    /// It answered otherwise, for good.
    pub(crate) fn answered(&mut self) {
        self.count();
    }

    /// It did not answer in time, or sent what it should not.
    pub(crate) fn failed(&mut self) {
        self.count();
        self.late += 1;
    }

    /// Whether it leaves half of all questions without an answer.
    pub(crate) const fn is_bad(&self) -> bool {
        self.asked >= JUDGED_FROM && self.late * 2 > self.asked
    }

    /// Whether it leaves nearly all questions without an answer.
    pub(crate) const fn is_hopeless(&self) -> bool {
        self.asked >= JUDGED_FROM && self.late * 8 > self.asked * 7
    }

    /// Which part of the questions it found a block for, in 256ths. Half, as long as little is known.
    pub(crate) const fn success(&self) -> u16 {
        if self.asked < JUDGED_FROM {
            return 128;
        }
        self.found * 256 / self.asked
    }

    /// Half of what was long ago is forgotten.
    const fn count(&mut self) {
        self.asked += 1;
        if self.asked >= REMEMBERED {
            self.asked /= 2;
            self.late /= 2;
            self.found /= 2;
        }
    }
}

/// Fewer answers say little.
const JUDGED_FROM: u16 = 16;

/// At so many questions all counts are halved: the last hundred decide. Times 256 it is within 16 bits.
const REMEMBERED: u16 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_peer_turns_bad_and_recovers_when_it_answers() {
        let mut merit = Merit::default();
        for _ in 0..15 {
            merit.failed();
        }
        assert!(!merit.is_bad(), "too little is known");
        merit.failed();
        assert!(merit.is_bad() && merit.is_hopeless());
        for _ in 0..20 {
            merit.answered();
        }
        assert!(!merit.is_bad());
        for _ in 0..1000 {
            merit.found(Time::ZERO);
        }
        assert!(merit.success() > 200, "{merit:?}");
    }
}
