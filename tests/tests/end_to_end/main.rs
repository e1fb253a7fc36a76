//! What a user of Warren can expect, tried as a user would: with the built programs, over real sockets and in a real browser.

mod browsing;
mod disk_contents;
mod failures;
mod friends;
mod hidden;
mod large_file;
mod opennet;
mod restart;
mod sites;
mod transfers;
mod wrong_input;
