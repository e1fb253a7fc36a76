//! Where `fcp put` publishes: the key, which may be secret, and the name under it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crypto::InsertUri;
use zeroize::Zeroizing;

use super::arguments::PutArguments;
use super::failure::{ExitStatus, Failure};

/// Environment variable with a secret insert key.
pub(super) const KEY_VARIABLE: &str = "FCP_INSERT_KEY";
/// Longest file that is read as a key, in bytes.
const KEY_FILE_MAX: u64 = 64 << 10;

/// What is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publication<'a> {
    /// One document; its own name, if it has one.
    Document {
        /// Name of the file.
        name: Option<&'a str>,
    },
    /// A folder.
    Site,
}

/// Works out where to publish; `secret_in_environment` is the value of [`KEY_VARIABLE`].
pub(super) fn insert_target(
    arguments: &PutArguments,
    publication: Publication<'_>,
    secret_in_environment: Option<String>,
) -> Result<InsertUri, Failure> {
    if let Some(text) = &arguments.key {
        return public_target(text, arguments, publication);
    }
    let secret = match (&arguments.key_file, secret_in_environment) {
        (Some(path), _) => Some(read_key_file(path)?),
        (None, Some(text)) if !text.is_empty() => Some(Zeroizing::new(text)),
        (None, _) => None,
    };
    match secret {
        Some(text) => secret_target(&text, arguments, publication),
        None if arguments.site.is_some() => Err(usage("--site needs a secret key to publish with")
            .next("make one with \"fcp keygen -o my.key\" and give --key-file my.key")),
        None => Ok(InsertUri::Content { path: Vec::new() }),
    }
}

/// The key in an argument: only such as hold no secret.
fn public_target(
    text: &str,
    arguments: &PutArguments,
    publication: Publication<'_>,
) -> Result<InsertUri, Failure> {
    let target = parse(text)?;
    match target {
        InsertUri::Signed { .. } | InsertUri::Updatable { .. } => {
            Err(usage("--key was given a secret insert key")
                .because("every user of this machine can see arguments, and the shell keeps them")
                .next(format!(
                    "make a new key with \"fcp keygen\" and use --key-file, or set {KEY_VARIABLE}"
                )))
        }
        InsertUri::Content { .. } | InsertUri::RandomSigned { .. } | InsertUri::Keyword { .. }
            if arguments.site.is_some() =>
        {
            Err(usage("--site needs a secret key to publish with").next("give it with --key-file"))
        }
        InsertUri::Keyword { .. }
            if publication == Publication::Site || arguments.name.is_none() =>
        {
            Ok(target)
        }
        InsertUri::Keyword { .. } => Err(usage(
            "--name cannot be used with a KSK: its word is the name",
        )),
        InsertUri::Content { .. } | InsertUri::RandomSigned { .. } => Ok(target),
    }
}

/// The key from a file or the environment, completed by `--site` or `--name`.
fn secret_target(
    text: &str,
    arguments: &PutArguments,
    publication: Publication<'_>,
) -> Result<InsertUri, Failure> {
    let target = parse(text)?;
    match (target, &arguments.site, publication) {
        (InsertUri::Signed { secret, name, .. }, Some(site), _) if name.is_empty() => {
            Ok(InsertUri::Updatable {
                secret,
                site: site.clone(),
                edition: 0,
                path: Vec::new(),
            })
        }
        (
            InsertUri::Updatable {
                secret,
                site,
                edition,
                ..
            },
            Some(wanted),
            _,
        ) => {
            let edition = if site == *wanted { edition } else { 0 };
            Ok(InsertUri::Updatable {
                secret,
                site: wanted.clone(),
                edition,
                path: Vec::new(),
            })
        }
        (InsertUri::Signed { secret, name, path }, None, publication) if name.is_empty() => {
            let name = match (&arguments.name, publication) {
                (Some(name), _) => name.clone(),
                (None, Publication::Document { name: Some(name) }) => name.to_owned(),
                (None, _) => {
                    return Err(usage("this key needs a name to publish under")
                        .next("add --site NAME for a site with editions, or --name NAME for a document that never changes"));
                }
            };
            Ok(InsertUri::Signed { secret, name, path })
        }
        (_, Some(_), _) => Err(usage(
            "--site cannot be used with this key, which names its document already",
        )),
        (target, None, _) => Ok(target),
    }
}

fn parse(text: &str) -> Result<InsertUri, Failure> {
    InsertUri::parse(text).map_err(|error| {
        Failure::new(ExitStatus::BadKey, "this key cannot be used to publish")
            .because(error)
            .next("see \"fcp put --help\" for the forms of keys")
    })
}

/// Finds the key in a file: its first line, without the word `insert` that `fcp keygen` writes before it. `-`
/// is standard input.
fn read_key_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(KEY_FILE_MAX)
            .read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(KEY_FILE_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::local(
            format!("the key file {} could not be read", path.display()),
            error,
        )
    })?;
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    match line {
        Some(line) => Ok(Zeroizing::new(
            line.strip_prefix("insert")
                .map_or(line, str::trim_start)
                .to_owned(),
        )),
        None => Err(Failure::new(
            ExitStatus::BadKey,
            format!("the key file {} is empty", path.display()),
        )
        .next("make a key with \"fcp keygen -o FILE\"")),
    }
}

fn usage(what: &str) -> Failure {
    Failure::new(ExitStatus::Usage, what)
}

#[cfg(test)]
mod tests {
    use crypto::SubspaceSecret;

    use super::*;

    fn secret() -> String {
        SubspaceSecret::generate(&mut rand::rng())
            .insert_uri_string()
            .as_str()
            .to_owned()
    }

    const DOCUMENT: Publication<'_> = Publication::Document {
        name: Some("note.txt"),
    };

    #[test]
    fn a_secret_key_in_an_argument_is_refused_without_repeating_it() {
        let text = format!("{}note", secret());
        let arguments = PutArguments {
            key: Some(text.clone()),
            ..PutArguments::default()
        };
        let failure = insert_target(&arguments, DOCUMENT, None).unwrap_err();
        assert_eq!(failure.status, ExitStatus::Usage);
        assert!(failure.next.as_ref().unwrap().contains("--key-file"));
        assert!(!format!("{failure:?}").contains(&text[4..40]));
    }

    #[test]
    fn a_bare_key_is_completed_by_site_or_name_or_file_name() {
        let key = secret();
        let target = |site: Option<&str>, name: Option<&str>, publication| {
            let arguments = PutArguments {
                site: site.map(str::to_owned),
                name: name.map(str::to_owned),
                ..PutArguments::default()
            };
            insert_target(&arguments, publication, Some(key.clone()))
        };
        assert!(
            matches!(target(Some("blog"), None, Publication::Site).unwrap(),
            InsertUri::Updatable { site, edition: 0, .. } if site == "blog")
        );
        assert!(
            matches!(target(None, Some("n"), DOCUMENT).unwrap(), InsertUri::Signed { name, .. } if name == "n")
        );
        assert!(
            matches!(target(None, None, DOCUMENT).unwrap(), InsertUri::Signed { name, .. } if name == "note.txt")
        );
        assert_eq!(
            target(None, None, Publication::Site).unwrap_err().status,
            ExitStatus::Usage
        );
    }

    #[test]
    fn without_a_key_the_content_is_the_key() {
        let target = insert_target(&PutArguments::default(), DOCUMENT, None).unwrap();
        assert_eq!(target, InsertUri::Content { path: vec![] });
        let site = PutArguments {
            site: Some("blog".to_owned()),
            ..PutArguments::default()
        };
        assert_eq!(
            insert_target(&site, Publication::Site, None)
                .unwrap_err()
                .status,
            ExitStatus::Usage
        );
    }

    #[test]
    fn the_file_that_keygen_writes_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let key = secret();
        std::fs::write(
            file.path(),
            format!("# mine\n\ninsert {key}\nrequest SSK@x\n"),
        )
        .unwrap();
        let arguments = PutArguments {
            key_file: Some(file.path().to_owned()),
            name: Some("n".to_owned()),
            ..PutArguments::default()
        };
        assert!(matches!(
            insert_target(&arguments, DOCUMENT, None).unwrap(),
            InsertUri::Signed { .. }
        ));
    }

    #[test]
    fn a_key_that_cannot_be_read_is_a_bad_key() {
        let arguments = PutArguments {
            key: Some("nonsense".to_owned()),
            ..PutArguments::default()
        };
        assert_eq!(
            insert_target(&arguments, DOCUMENT, None)
                .unwrap_err()
                .status,
            ExitStatus::BadKey
        );
    }
}
