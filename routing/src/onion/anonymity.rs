//! How hidden a request is to be.

/// How a request of the node's own user leaves the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymity {
    /// It starts at this node: the peer that is asked sees what is wanted, and by whom, as far as it can tell.
    #[default]
    Off,
    /// It starts at the end of a circuit, or not at all.
    Circuit(Via),
}

/// Over which circuits a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// How long they are.
    pub level: Level,
    /// With what it may be seen together.
    pub group: Group,
    /// What part of that it is.
    pub role: Role,
}

/// What belongs together: a document, a site, a file. No circuit ever carries requests of two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(pub u64);

/// What a request is within its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// What the group is found by: a manifest, a top block, a signed block. It goes over a circuit of its own, so that whoever
    /// knows that key does not see which other keys belong to it.
    Top,
    /// A block among many; they are dealt at random over the group's circuits.
    Part,
}

/// How many hops a circuit has, at least where the network is large enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Two hops: no neighbour sees what is asked for, unless two of them work together.
    Two,
    /// Four hops.
    Four,
    /// Six hops: in a network of ten thousand nodes with twenty peers each, the end says next to nothing about the start.
    #[default]
    Six,
    /// Eight hops.
    Eight,
}

impl Level {
    /// The level with so many hops.
    #[must_use]
    pub const fn new(hops: u8) -> Option<Self> {
        match hops {
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            6 => Some(Self::Six),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    /// The number of hops for a node with many peers.
    #[must_use]
    pub const fn hops(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Six => 6,
            Self::Eight => 8,
        }
    }

    /// The number of hops for a node with `peers` peers. With few the walk spreads slowly, so it has to be longer (E9 of the
    /// experiments: with ten peers ten hops do what six do with twenty, and with fifteen six leave a fifteenth of all nodes
    /// suspect, where with twenty they leave two fifths).
    #[must_use]
    pub const fn hops_at(self, peers: usize) -> u8 {
        let more = if peers < FEW_PEERS {
            4
        } else if peers < SOME_PEERS {
            2
        } else {
            0
        };
        let hops = self.hops() + more;
        if hops > LENGTH_MAX { LENGTH_MAX } else { hops }
    }
}

const FEW_PEERS: usize = 10;
const SOME_PEERS: usize = 18;

/// A cell has room for so many tags.
#[expect(
    clippy::cast_possible_truncation,
    reason = "asserted below: it is a small number"
)]
const LENGTH_MAX: u8 = crypto::onion::HOPS_MAX as u8;
const _: () = assert!(crypto::onion::HOPS_MAX < 256);
