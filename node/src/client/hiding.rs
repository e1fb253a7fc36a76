//! How hidden requests are, and which of them may be seen together.

use std::sync::atomic::{AtomicU8, Ordering};

use rand::RngExt as _;
use routing::{Anonymity, Group, Level, Role, Via};

/// How far the node's own requests travel unreadable before they begin for others to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hiding {
    /// Not at all: the nodes next to this one see the keys that its user asks for.
    Off,
    /// At the end of a circuit, or not at all.
    Circuit(Level),
}

impl Default for Hiding {
    fn default() -> Self {
        Self::Circuit(Level::default())
    }
}

impl Hiding {
    /// The numbers of hops that there are, for messages.
    pub const ALLOWED: &str = "0, 2, 4, 6 or 8";

    /// So many hops; zero is [`Hiding::Off`].
    #[must_use]
    pub fn from_hops(hops: u8) -> Option<Self> {
        match hops {
            0 => Some(Self::Off),
            _ => Level::new(hops).map(Self::Circuit),
        }
    }

    /// The same from text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::from_hops)
    }

    /// How many hops.
    #[must_use]
    pub const fn hops(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::Circuit(level) => level.hops(),
        }
    }

    /// Of which circuits there are to be some before anybody needs them.
    #[must_use]
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Off => None,
            Self::Circuit(level) => Some(level),
        }
    }
}

/// How hidden requests are that do not say it themselves; the owner may change it while the node runs.
#[derive(Debug)]
pub struct UsualHiding(AtomicU8);

impl UsualHiding {
    /// So hidden for now.
    #[must_use]
    pub const fn new(hiding: Hiding) -> Self {
        Self(AtomicU8::new(hiding.hops()))
    }

    /// What holds.
    #[must_use]
    pub fn get(&self) -> Hiding {
        let hops = self.0.load(Ordering::Relaxed);
        Hiding::from_hops(hops).expect("only numbers of hops that there are get in")
    }

    /// What holds for requests that begin from now on.
    pub fn set(&self, hiding: Hiding) {
        self.0.store(hiding.hops(), Ordering::Relaxed);
    }
}

/// How the requests of one download, upload or site leave the node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    hiding: Hiding,
    group: Group,
}

impl Way {
    /// A way of its own unless a group is given.
    pub(crate) fn new(hiding: Hiding, group: Option<Group>) -> Self {
        let group = group.unwrap_or_else(new_group);
        Self { hiding, group }
    }

    /// How a request leaves that has this part in it.
    pub(crate) const fn of(&self, role: Role) -> Anonymity {
        match self.hiding {
            Hiding::Off => Anonymity::Off,
            Hiding::Circuit(level) => Anonymity::Circuit(Via {
                level,
                group: self.group,
                role,
            }),
        }
    }

    /// Whether the nodes next to this one may see what is asked for.
    pub(crate) fn is_open(&self) -> bool {
        self.hiding == Hiding::Off
    }
}

/// A group that nothing else belongs to.
pub(crate) fn new_group() -> Group {
    Group(rand::rng().random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_five_levels_are_taken() {
        let taken: Vec<u8> = (0..=u8::MAX)
            .filter(|hops| Hiding::from_hops(*hops).is_some())
            .collect();
        assert_eq!(taken, [0, 2, 4, 6, 8]);
        for hops in taken {
            assert_eq!(Hiding::from_hops(hops).map(Hiding::hops), Some(hops));
        }
        assert_eq!(Hiding::from_text("6"), Some(Hiding::default()));
        assert_eq!(Hiding::from_text("off"), None);
    }

    #[test]
    fn each_way_has_a_group_of_its_own() {
        let group = |way: Way| match way.of(Role::Part) {
            Anonymity::Circuit(via) => via.group,
            Anonymity::Off => panic!("not hidden"),
        };
        let own = || group(Way::new(Hiding::default(), None));
        assert_ne!(own(), own());
        assert_eq!(group(Way::new(Hiding::default(), Some(Group(7)))), Group(7));
    }

    #[test]
    fn at_level_zero_nothing_goes_over_a_circuit() {
        assert_eq!(Way::new(Hiding::Off, None).of(Role::Top), Anonymity::Off);
    }
}
