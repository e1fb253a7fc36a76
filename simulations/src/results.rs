//! Running scenarios, and what remains of it: records, files, reports.

mod compare;
mod folder;
mod html;
mod number;
mod record;
mod run;

pub use compare::compare;
pub use folder::Folder;
pub(crate) use number::thousands_apart;
pub use number::{bar, number};
pub use record::{Record, Results};
pub use run::{Options, run};
