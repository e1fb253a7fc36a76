//! Whether to keep a block that passes.
//!
//! A node caches neither what it or its close neighbours read nor what they insert: else somebody could probe a node's
//! cache to learn what was read near it. Requests near their origin are known by a high number of hops to live. How many
//! hops are spared for each operation is Freenet's choice.

use crate::hops_to_live::HopsToLive;

/// Whether a relay caches a found block, by the hops to live of the fetch there.
pub(crate) const fn caches_fetched(hops_to_live: HopsToLive, max: HopsToLive) -> bool {
    hops_to_live.get() + 2 < max.get()
}

/// Whether a relay on the way to where a block belongs caches it, by the hops to live of the insert there.
pub(crate) const fn caches_inserted(hops_to_live: HopsToLive, max: HopsToLive) -> bool {
    hops_to_live.get() + 3 < max.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_cached_near_the_origin() {
        let hops = |hops| HopsToLive::new(hops).unwrap();
        let caching = |rule: fn(HopsToLive, HopsToLive) -> bool| {
            (0..=18)
                .filter(|&left| rule(hops(left), HopsToLive::MAX))
                .max()
        };
        assert_eq!(caching(caches_fetched), Some(15));
        assert_eq!(caching(caches_inserted), Some(14));
    }
}
