//! How far an experiment is.

/// Is told how far an experiment is, from any of its threads.
pub trait Progress: Sync {
    /// A stage of so many steps begins.
    fn begin(&self, what: &str, steps: u64);

    /// So many further steps of the stage are done.
    fn advance(&self, steps: u64);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _steps: u64) {}

    fn advance(&self, _steps: u64) {}
}
