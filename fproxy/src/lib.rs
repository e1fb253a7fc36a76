//! The HTTP gateway of Warren.
