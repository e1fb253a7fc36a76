//! A file with 32 secret bytes: made once, readable by the owner only, never overwritten, checked when read.
//!
//! One line: a label that says what the secret is for, a space, and in base64 the 32 bytes followed by 8 bytes of
//! check sum.

use super::{read_text_bounded, write_new_file};
use data_encoding::BASE64URL_NOPAD;
use rand::Rng as _;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const SECRET_LEN: usize = 32;
const CHECK_LEN: usize = 8;
/// A label, the base64 of 40 bytes and white space.
const FILE_LEN_MAX: u64 = 256;

/// Why a secret cannot be had from its file.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what was written. It is left alone, since a new secret would make this another node.
    #[error(
        "{} is damaged; restore it from a backup, or move it away to start with a new one \
         (friends will not recognise this node, and its store starts empty)",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the secret, or draws and writes it if there is no file.
pub(super) fn read_or_create(
    path: &Path,
    label: &'static str,
) -> Result<Zeroizing<[u8; SECRET_LEN]>, SecretFileError> {
    match read_text_bounded(path, FILE_LEN_MAX).map(Zeroizing::new) {
        Ok(text) => decode(&text, label).ok_or_else(|| SecretFileError::Damaged {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, label),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::FileTooLarge
            ) =>
        {
            Err(SecretFileError::Damaged {
                path: path.to_owned(),
            })
        }
        Err(source) => Err(SecretFileError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn create(
    path: &Path,
    label: &'static str,
) -> Result<Zeroizing<[u8; SECRET_LEN]>, SecretFileError> {
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    rand::rng().fill_bytes(&mut *secret);
    write_new_file(path, encode(&secret, label).as_bytes(), 0o600).map_err(|source| {
        SecretFileError::Write {
            path: path.to_owned(),
            source,
        }
    })?;
    Ok(secret)
}

fn encode(secret: &[u8; SECRET_LEN], label: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; SECRET_LEN + CHECK_LEN]);
    bytes[..SECRET_LEN].copy_from_slice(secret);
    bytes[SECRET_LEN..].copy_from_slice(&check(secret, label));
    let base64 = Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes));
    Zeroizing::new(format!("{label} {}\n", *base64))
}

fn decode(text: &str, label: &str) -> Option<Zeroizing<[u8; SECRET_LEN]>> {
    let base64 = text.trim_end().strip_prefix(label)?.strip_prefix(' ')?;
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(base64.as_bytes()).ok()?);
    let (secret, sum) = bytes.split_first_chunk::<SECRET_LEN>()?;
    (sum == check(secret, label)).then(|| Zeroizing::new(*secret))
}

/// Recognises damage; it need not withstand an attacker, who could as well write a new file.
fn check(secret: &[u8; SECRET_LEN], label: &str) -> [u8; CHECK_LEN] {
    let hash = blake3::Hasher::new_derive_key("Warren 2026 secret file check")
        .update(label.as_bytes())
        .update(secret)
        .finalize();
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}
