//! What those who collude can learn of who asked: graphs to walk on, circuits, and the adversary's reckoning.
//!
//! Nothing here is part of a node. Circuits are drawn as an originator draws them, and the adversary has all that an
//! honest-but-curious coalition could have, and more: the whole graph.

pub mod circuits;
pub mod counting;
pub mod degrees;
pub mod downloads;
pub mod inference;
pub mod links;
mod traced;
pub mod trial;

pub use circuits::{Circuit, Design, HOPS, Originator, POOL};
pub use counting::{Coalition, Tally, Verdict};
pub use degrees::Degrees;
pub use downloads::{Asker, Churning, Downloads, Seen};
pub use inference::{Belief, Sighting};
pub use links::Links;
