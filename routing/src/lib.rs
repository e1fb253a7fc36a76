//! The sans-IO protocol core of Warren.
