//! Keys, blocks and node identity of Warren.
