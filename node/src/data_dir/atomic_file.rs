//! Files that are written whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Writes a file that must not exist yet, with these permission bits.
///
/// # Errors
/// `AlreadyExists` if the file is there, which is then untouched; else what the file system says.
pub(crate) fn write_new_file(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let file = temporary(path, content, mode)?;
    file.persist_noclobber(path)?;
    sync_folder(path)
}

/// Writes a file or puts a new one in the place of an old one, with these permission bits. After a crash either the
/// old or the new content is there. The returned handle is open on the new file.
///
/// # Errors
/// What the file system says; the old file is then untouched.
pub(crate) fn replace_file(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    replace_file_held(path, content, mode, |_| Ok(()))
}

/// As [`replace_file`], and runs `hold` on the new file before anybody can see it.
pub(super) fn replace_file_held(
    path: &Path,
    content: &[u8],
    mode: u32,
    hold: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let file = temporary(path, content, mode)?;
    hold(file.as_file())?;
    let file = file.persist(path)?;
    sync_folder(path)?;
    Ok(file)
}

/// Reads a text file of at most `len_max` bytes.
///
/// # Errors
/// `FileTooLarge` above the bound, `InvalidData` if it is not UTF-8, else what the file system says.
pub(crate) fn read_text_bounded(path: &Path, len_max: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(len_max + 1)
        .read_to_string(&mut text)?;
    if read as u64 > len_max {
        let message = format!(
            "{} has more than the {len_max} bytes such a file can have",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

fn temporary(path: &Path, content: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    let mut file = builder.tempfile_in(folder(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the rename itself survive a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}
