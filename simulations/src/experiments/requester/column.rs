//! The ways to ask that are compared.

use routing::Lookahead;
use serde::Deserialize;

use crate::anonymity::Degrees;

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Column {
    /// The node itself asks, as at level 0.
    Plain,
    /// The same, with routers that do not know the peers of their peers, as in the published model.
    NoLookahead,
    /// As the first; the coalition counts only requests with as many hops to live as a user's own.
    FreshOnly,
    /// Each block is carried three random hops in the open first.
    RandomStem,
    /// The same three hops for all blocks.
    OneStem,
    /// Through a pool of circuits.
    Onion,
    /// The same, with circuits that routers build and use.
    Routers,
    /// The node itself publishes.
    InsertPlain,
    InsertOnion,
    InsertRouters,
    /// Others have downloaded the file before.
    PopularPlain,
    PopularOnion,
    PopularRouters,
    /// Nodes come and go.
    ChurningPlain,
    ChurningOnion,
    ChurningRouters,
    /// Degrees are as they were measured in Freenet.
    UnevenPlain,
    UnevenOnion,
    UnevenRouters,
}

/// What stands between the requester and its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hiding {
    Nothing,
    /// Open stems: for each block its own, or one for all.
    RandomStem,
    OneStem,
    /// Circuits that are drawn as a node draws them.
    Drawn,
    /// Circuits that routers build.
    Routers,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Publish,
    Download,
    /// After others have.
    DownloadPopular,
    DownloadWhileNodesComeAndGo,
}

/// What a network must be like. Columns that agree in it are measured in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct World {
    pub(super) degrees: Degrees,
    pub(super) lookahead: Lookahead,
    pub(super) circuits: bool,
}

impl Column {
    /// Those in which nodes come and go stand last: a network is not the same afterwards.
    pub(super) const ALL: [Self; 19] = [
        Self::Plain,
        Self::NoLookahead,
        Self::FreshOnly,
        Self::RandomStem,
        Self::OneStem,
        Self::Onion,
        Self::Routers,
        Self::InsertPlain,
        Self::InsertOnion,
        Self::InsertRouters,
        Self::PopularPlain,
        Self::PopularOnion,
        Self::PopularRouters,
        Self::UnevenPlain,
        Self::UnevenOnion,
        Self::UnevenRouters,
        Self::ChurningPlain,
        Self::ChurningOnion,
        Self::ChurningRouters,
    ];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Plain => "level 0",
            Self::NoLookahead => "level 0, no lookahead",
            Self::FreshOnly => "level 0, full budgets only",
            Self::RandomStem => "warning: open stem, new for each block",
            Self::OneStem => "warning: open stem, one for all",
            Self::Onion => "circuits",
            Self::Routers => "circuits of routers",
            Self::InsertPlain => "insert, level 0",
            Self::InsertOnion => "insert, circuits",
            Self::InsertRouters => "insert, circuits of routers",
            Self::PopularPlain => "popular file, level 0",
            Self::PopularOnion => "popular file, circuits",
            Self::PopularRouters => "popular file, circuits of routers",
            Self::ChurningPlain => "nodes come and go, level 0",
            Self::ChurningOnion => "nodes come and go, circuits",
            Self::ChurningRouters => "nodes come and go, circuits of routers",
            Self::UnevenPlain => "uneven degrees, level 0",
            Self::UnevenOnion => "uneven degrees, circuits",
            Self::UnevenRouters => "uneven degrees, circuits of routers",
        }
    }

    pub(super) const fn hiding(self) -> Hiding {
        match self {
            Self::Plain
            | Self::NoLookahead
            | Self::FreshOnly
            | Self::InsertPlain
            | Self::PopularPlain
            | Self::ChurningPlain
            | Self::UnevenPlain => Hiding::Nothing,
            Self::RandomStem => Hiding::RandomStem,
            Self::OneStem => Hiding::OneStem,
            Self::Onion
            | Self::InsertOnion
            | Self::PopularOnion
            | Self::ChurningOnion
            | Self::UnevenOnion => Hiding::Drawn,
            Self::Routers
            | Self::InsertRouters
            | Self::PopularRouters
            | Self::ChurningRouters
            | Self::UnevenRouters => Hiding::Routers,
        }
    }

    pub(super) const fn deed(self) -> Deed {
        match self {
            Self::InsertPlain | Self::InsertOnion | Self::InsertRouters => Deed::Publish,
            Self::PopularPlain | Self::PopularOnion | Self::PopularRouters => Deed::DownloadPopular,
            Self::ChurningPlain | Self::ChurningOnion | Self::ChurningRouters => {
                Deed::DownloadWhileNodesComeAndGo
            }
            _ => Deed::Download,
        }
    }

    /// Where it is measured, if an even degree is `degree`.
    pub(super) const fn world(self, degree: usize) -> World {
        World {
            degrees: match self {
                Self::UnevenPlain | Self::UnevenOnion | Self::UnevenRouters => Degrees::Measured,
                _ => Degrees::Even(degree),
            },
            lookahead: match self {
                Self::NoLookahead => Lookahead::Off,
                _ => Lookahead::On,
            },
            circuits: matches!(self.hiding(), Hiding::Routers),
        }
    }

    /// Whether circuits stand between the requester and its requests.
    pub(super) const fn is_onion(self) -> bool {
        matches!(self.hiding(), Hiding::Drawn | Hiding::Routers)
    }
}
