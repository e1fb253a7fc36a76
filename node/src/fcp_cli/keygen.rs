//! `fcp keygen`: a key pair to publish under. No node takes part.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crypto::SubspaceSecret;
use serde_json::json;

use super::arguments::KeygenArguments;
use super::failure::{ExitStatus, Failure};
use super::report::Report;

/// Makes a key pair; prints both keys, or the request key alone when the insert key goes to a file.
pub(super) fn keygen(arguments: &KeygenArguments, report: &Report) -> Result<(), Failure> {
    let secret = SubspaceSecret::generate(&mut rand::rng());
    let insert = secret.insert_uri_string();
    let request = secret.public().request_uri_string();
    let Some(path) = &arguments.output else {
        let text = format!("insert {}\nrequest {request}", insert.as_str());
        return report.result(
            &text,
            json!({ "insert_uri": insert.as_str(), "request_uri": request }),
        );
    };
    write_secret(
        path,
        &format!("insert {}\nrequest {request}\n", insert.as_str()),
    )
    .map_err(|error| {
        let failure = Failure::local(
            format!("the key could not be written to {}", path.display()),
            &error,
        );
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure {
                status: ExitStatus::Usage,
                ..failure
            }
            .next("choose another file: a lost key cannot be restored")
        } else {
            failure
        }
    })?;
    report.result(
        &request,
        json!({ "key_file": path, "request_uri": request }),
    )
}

/// Writes a new file that nobody else may read.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
