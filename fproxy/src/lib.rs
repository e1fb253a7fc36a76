//! The HTTP gateway of Warren.

pub mod network;
