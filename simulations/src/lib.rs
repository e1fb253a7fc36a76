//! Whole networks of Warren routers in virtual time.
