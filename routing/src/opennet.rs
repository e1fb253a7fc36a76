//! The opennet: links that the routers choose themselves.

pub(crate) mod message;
