//! The running account of a store: how much each family holds, and the clock of uses.
//!
//! It is written in the same batch as the blocks it counts, so that after any crash it is right without counting anew.

use super::family::Family;

/// What one family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Account {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

/// The accounts of all families, and the next time of use. Uses are counted, not timed: no wall clock is involved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ledger {
    accounts: [Account; 4],
    next_use: u64,
}

/// 9 numbers of 8 bytes.
const ENCODED_LEN: usize = 72;

impl Ledger {
    /// A time of use later than all before.
    pub(super) fn tick(&mut self) -> u64 {
        let now = self.next_use;
        self.next_use += 1;
        now
    }

    pub(super) fn add(&mut self, family: Family, bytes: u32) {
        let account = &mut self.accounts[family.index()];
        account.blocks += 1;
        account.bytes += u64::from(bytes);
    }

    pub(super) fn remove(&mut self, family: Family, bytes: u32) {
        let account = &mut self.accounts[family.index()];
        // Cannot go below zero unless the disk lies; then the account must not wrap round to "full for ever".
        account.blocks = account.blocks.saturating_sub(1);
        account.bytes = account.bytes.saturating_sub(u64::from(bytes));
    }

    pub(super) fn account(&self, family: Family) -> Account {
        self.accounts[family.index()]
    }

    /// How many uses ago `last_use` was.
    pub(super) fn age(&self, last_use: u64) -> u64 {
        self.next_use.saturating_sub(last_use)
    }

    pub(super) fn encode(&self) -> [u8; ENCODED_LEN] {
        let [a, b, c, d] = self.accounts;
        let numbers = [
            self.next_use,
            a.blocks,
            a.bytes,
            b.blocks,
            b.bytes,
            c.blocks,
            c.bytes,
            d.blocks,
            d.bytes,
        ];
        let mut bytes = [0; ENCODED_LEN];
        for (chunk, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            chunk.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ENCODED_LEN] = bytes.try_into().ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let number = |i: usize| u64::from_le_bytes(numbers[i]);
        let account = |i: usize| Account {
            blocks: number(1 + 2 * i),
            bytes: number(2 + 2 * i),
        };
        Some(Self {
            next_use: number(0),
            accounts: [account(0), account(1), account(2), account(3)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_reads_back_what_it_wrote() {
        let mut ledger = Ledger::default();
        for (index, family) in Family::ALL.into_iter().enumerate() {
            for _ in 0..=index {
                ledger.tick();
                ledger.add(family, 1000);
            }
        }
        ledger.remove(Family::SskCache, 1000);
        let bytes = ledger.encode();
        assert_eq!(Ledger::decode(&bytes), Some(ledger));
        assert_eq!(
            ledger.account(Family::SskCache),
            Account {
                blocks: 3,
                bytes: 3000
            }
        );
        assert_eq!(
            bytes[..16],
            [10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(Ledger::decode(&bytes[1..]), None);
    }

    #[test]
    fn an_account_never_goes_below_zero() {
        let mut ledger = Ledger::default();
        ledger.remove(Family::ChkStore, 7);
        assert_eq!(ledger.account(Family::ChkStore), Account::default());
    }
}
