//! Support for the end to end tests: real processes, real clients, a browser.
//!
//! Nothing here knows the crates of the workspace. The tests drive the built programs as their users do: by arguments, by
//! what they print, over FCP and over HTTP. Everything waits for an event (a line, an end of a process, an answer) with a
//! bound, and everything that was started ends with its value.

mod browser;
mod content;
mod demo;
mod disk;
mod fcp_program;
mod fcp_wire;
mod http;
mod net_log;
mod node;
mod process;
mod programs;
mod wait;

pub use browser::{Browser, Page, chromium};
pub use content::{bytes, digest, folder_files, picture, site_part, write_site};
pub use demo::Demo;
pub use disk::{Needles, files_below};
pub use fcp_program::{Fcp, Finished};
pub use fcp_wire::{FcpConnection, FcpMessage};
pub use http::{Response, follow, get, request};
pub use net_log::{NetLog, is_loopback};
pub use node::{Addresses, Node, any_port, warren};
pub use process::{Process, memory_now, memory_peak};
pub use programs::{Programs, programs};
pub use wait::eventually;
