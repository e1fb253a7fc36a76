//! A real browser, driven over its own debugging protocol.
//!
//! Chromium reads and writes the protocol's messages on two pipes, each message ended by a zero byte. It looks into pages
//! even where these may not run scripts, as its developer tools do.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::net_log::NetLog;
use crate::process::Process;

/// Time for a page to load, with everything in it.
const LOAD_MAX: Duration = Duration::from_secs(60);

/// Silences what the browser does on its own behalf: looking for updates, asking for the time, signing in. Everything that is
/// then left in its network log comes from the pages.
const QUIET: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=NetworkTimeServiceQuerying,OptimizationHints,MediaRouter,DialMediaRouteProvider,Translate,\
     AutofillServerCommunication",
    "--disable-sync",
    "--no-pings",
    "--component-updater=url-source=http://127.0.0.1:9/",
    "--gaia-url=http://127.0.0.1:9",
    "--google-apis-url=http://127.0.0.1:9",
    "--window-size=1200,900",
];

/// The Chromium of this machine, if it has one.
#[must_use]
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// A running browser with an empty profile, and one page.
#[derive(Debug)]
pub struct Browser {
    process: Process,
    page: Page,
    folder: TempDir,
}

impl Browser {
    /// Starts the browser and opens an empty page.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (to_browser, from_browser) = (folder.path().join("to"), folder.path().join("from"));
        let made = Command::new("mkfifo")
            .args([&to_browser, &from_browser])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo failed");
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg("to=$1 from=$2; shift 2; exec \"$@\" 3<\"$to\" 4>\"$from\"")
            .arg("sh")
            .args([
                to_browser.as_os_str(),
                from_browser.as_os_str(),
                program.as_os_str(),
            ])
            .args(QUIET)
            .arg("--remote-debugging-pipe")
            .arg(with_path(
                "--user-data-dir=",
                &folder.path().join("profile"),
            ))
            .arg(with_path("--log-net-log=", &folder.path().join("net.json")))
            .arg("about:blank");
        let process = Process::start(&mut command);
        Self {
            process,
            page: Page::open(&to_browser, &from_browser),
            folder,
        }
    }

    /// The page.
    pub fn page(&mut self) -> &mut Page {
        &mut self.page
    }

    /// Ends the browser and returns the log of everything that it did on the network.
    ///
    /// # Panics
    /// If it does not end, or wrote no log.
    #[must_use]
    pub fn close(mut self) -> NetLog {
        self.page.call_browser("Browser.close", &json!({}));
        let _ = self.process.wait(LOAD_MAX);
        let text = std::fs::read_to_string(self.folder.path().join("net.json"));
        NetLog::parse(&text.expect("the browser wrote its network log"))
    }
}

fn with_path(option: &str, path: &Path) -> std::ffi::OsString {
    let mut whole = OsStr::new(option).to_owned();
    whole.push(path);
    whole
}

/// A page of the browser.
#[derive(Debug)]
pub struct Page {
    to_browser: File,
    from_browser: Receiver<Value>,
    events: VecDeque<Value>,
    last_id: u64,
    session: Value,
}

impl Page {
    fn open(to_browser: &Path, from_browser: &Path) -> Self {
        // The shell opens its ends in the same order.
        let to_browser = OpenOptions::new().write(true).open(to_browser);
        let mut page = Self {
            to_browser: to_browser.expect("the pipe was just made"),
            from_browser: follow(File::open(from_browser).expect("the pipe was just made")),
            events: VecDeque::new(),
            last_id: 0,
            session: Value::Null,
        };
        let target = page.call_browser("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        page.session = page.call_browser("Target.attachToTarget", &attach)["sessionId"].clone();
        page.call("Page.enable", &json!({}));
        page
    }

    /// Opens an address and waits until the page and everything in it is loaded.
    ///
    /// # Panics
    /// If it does not load.
    pub fn open_address(&mut self, address: &str) {
        self.events.clear();
        let answer = self.call("Page.navigate", &json!({ "url": address }));
        assert!(answer.get("errorText").is_none(), "{address}: {answer}");
        self.wait_for_load();
    }

    /// Clicks on the first element that the selector names, and waits for the page that it leads to.
    ///
    /// # Panics
    /// If there is no such element, or no page loads.
    pub fn click(&mut self, selector: &str) {
        self.events.clear();
        self.look(&format!("document.querySelector({selector:?}).click()"));
        self.wait_for_load();
    }

    /// The value of an expression in the page.
    ///
    /// # Panics
    /// If the expression fails.
    pub fn look(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &question);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// As [`Page::look`], for text.
    ///
    /// # Panics
    /// If the value is no text.
    pub fn look_text(&mut self, expression: &str) -> String {
        let value = self.look(expression);
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    fn wait_for_load(&mut self) {
        loop {
            let event = self.events.pop_front();
            let event = event.unwrap_or_else(|| self.receive());
            if event["method"] == "Page.loadEventFired" {
                return;
            }
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let session = self.session.clone();
        self.exchange(json!({ "method": method, "params": parameters, "sessionId": session }))
    }

    fn call_browser(&mut self, method: &str, parameters: &Value) -> Value {
        self.exchange(json!({ "method": method, "params": parameters }))
    }

    fn exchange(&mut self, mut message: Value) -> Value {
        self.last_id += 1;
        message["id"] = self.last_id.into();
        let text = format!("{message}\0");
        self.to_browser
            .write_all(text.as_bytes())
            .expect("the browser takes messages");
        loop {
            let answer = self.receive();
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{message}: {answer}");
                return answer["result"].clone();
            }
            self.events.push_back(answer);
        }
    }

    fn receive(&mut self) -> Value {
        let message = self.from_browser.recv_timeout(LOAD_MAX);
        message.unwrap_or_else(|error| panic!("the browser says nothing: {error}"))
    }
}

/// Receives messages until the browser closes its pipe.
fn follow(pipe: File) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for message in BufReader::new(pipe).split(0) {
            let Ok(message) = message else { return };
            let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}
