//! The HTTP gateway of Warren.

mod filter;
pub mod network;
