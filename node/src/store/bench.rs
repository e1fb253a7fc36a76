//! Figures of the store beside those of RocksDB itself.
