//! Reading the form, field by field, with files going straight to the disk.

use std::collections::BTreeSet;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use bytes::Bytes;
use crypto::InsertUri;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::app::App;
use crate::filter;
use crate::network::{Source, Target, Upload, UploadedFile};

/// Bytes of a field that is not a file.
const TEXT_LEN_MAX: usize = 16 * 1024;

/// Files of a site.
const FILES_MAX: usize = 20_000;

/// Folders within folders.
const PATH_PARTS_MAX: usize = 64;

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the form does not carry the word that this node put into it")]
    Token,
    #[error("{0}")]
    Form(&'static str),
    #[error("{0}")]
    Key(String),
    #[error("This gateway takes at most {len_max} bytes.")]
    TooLarge { len_max: u64 },
    #[error("This node is still inserting others.")]
    TooMany,
    #[error("Nothing more arrived for a while.")]
    Slow,
    #[error("It could not be written to the disk: {0}.")]
    Disk(String),
}

/// Reads a whole form. Returns what to call the upload, and the upload.
pub(super) async fn upload(app: &App, mut form: Multipart) -> Result<(String, Upload), Refusal> {
    let mut receiving = Receiving::new(app);
    loop {
        let field = timeout(app.config.client_time_max, form.next_field()).await;
        match field.map_err(|_| Refusal::Slow)?.map_err(|_| BROKEN)? {
            Some(field) => receiving.take(field).await?,
            None => return receiving.finish(),
        }
    }
}

const BROKEN: Refusal = Refusal::Form("The upload broke off or is not a form.");

struct Receiving<'a> {
    app: &'a App,
    token_is_right: bool,
    kind: String,
    key: Zeroizing<String>,
    default_document: Option<String>,
    is_site: bool,
    files: Vec<UploadedFile>,
    paths: BTreeSet<Vec<String>>,
    len_left: u64,
}

impl<'a> Receiving<'a> {
    fn new(app: &'a App) -> Self {
        Self {
            app,
            token_is_right: false,
            kind: String::new(),
            key: Zeroizing::default(),
            default_document: None,
            is_site: false,
            files: Vec::new(),
            paths: BTreeSet::new(),
            len_left: app.config.upload_len_max,
        }
    }

    async fn take(&mut self, mut field: Field<'_>) -> Result<(), Refusal> {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "token" => {
                let token = self.text(&mut field).await?;
                self.token_is_right = self.app.form_token.is_right(&token);
            }
            // The pages put the word first, so that nothing is taken in without it.
            _ if !self.token_is_right => return Err(Refusal::Token),
            "kind" => self.kind = self.text(&mut field).await?.to_string(),
            "key" => self.key = self.text(&mut field).await?,
            "default" => {
                let text = self.text(&mut field).await?;
                self.default_document =
                    Some(text.trim().to_owned()).filter(|name| !name.is_empty());
            }
            "file" => self.file(field).await?,
            "files" => {
                self.is_site = true;
                self.file(field).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn text(&self, field: &mut Field<'_>) -> Result<Zeroizing<String>, Refusal> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TEXT_LEN_MAX));
        while let Some(piece) = self.piece(field).await? {
            if bytes.len() + piece.len() > TEXT_LEN_MAX {
                return Err(Refusal::Form("A field is too long."));
            }
            bytes.extend_from_slice(&piece);
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| Refusal::Form("A field is not text."))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    async fn piece(&self, field: &mut Field<'_>) -> Result<Option<Bytes>, Refusal> {
        let piece = timeout(self.app.config.client_time_max, field.chunk()).await;
        piece.map_err(|_| Refusal::Slow)?.map_err(|_| BROKEN)
    }

    async fn file(&mut self, mut field: Field<'_>) -> Result<(), Refusal> {
        if !self.app.uploads.has_room() || self.files.len() >= FILES_MAX {
            return Err(Refusal::TooMany);
        }
        let path = path_of(field.file_name().unwrap_or_default(), self.is_site)?;
        if !self.paths.insert(path.clone()) {
            return Err(Refusal::Form("Two files have the same name."));
        }
        let declared = field.content_type().map(str::to_owned);
        let file = self.temporary().await?;
        let (file, place) = file.into_parts();
        let mut file = File::from_std(file);
        let mut size = 0;
        while let Some(piece) = self.piece(&mut field).await? {
            let len = piece.len() as u64;
            let too_large = Refusal::TooLarge {
                len_max: self.app.config.upload_len_max,
            };
            self.len_left = self.len_left.checked_sub(len).ok_or(too_large)?;
            size += len;
            file.write_all(&piece).await.map_err(disk)?;
        }
        file.flush().await.map_err(disk)?;
        self.files.push(UploadedFile {
            content_type: media_type(declared.as_deref(), path.last().map(String::as_str)),
            path,
            size,
            file: place,
        });
        Ok(())
    }

    async fn temporary(&self) -> Result<tempfile::NamedTempFile, Refusal> {
        let folder = self.app.config.temp_dir.clone();
        let made = spawn_blocking(move || {
            tempfile::Builder::new()
                .prefix("upload-")
                .tempfile_in(folder)
        });
        made.await.map_err(disk)?.map_err(disk)
    }

    fn finish(mut self) -> Result<(String, Upload), Refusal> {
        if !self.token_is_right {
            return Err(Refusal::Token);
        }
        let target = match self.kind.as_str() {
            "" | "private" => Target::Private,
            "convergent" => Target::Convergent,
            "key" => Target::Key(Box::new(
                InsertUri::parse(&self.key).map_err(|error| Refusal::Key(error.to_string()))?,
            )),
            _ => return Err(Refusal::Form("The kind of key is not known.")),
        };
        let files = self.files.len();
        let (title, source) = if self.is_site {
            let names = |name: &String| self.paths.contains(std::slice::from_ref(name));
            let default_document = self.default_document.take().filter(names);
            (
                format!("a folder with {files} files"),
                Source::Site {
                    files: self.files,
                    default_document,
                },
            )
        } else {
            let file = self.files.pop().filter(|_| files == 1);
            let file = file.ok_or(Refusal::Form("No file was chosen."))?;
            (file.path.join("/"), Source::File(file))
        };
        Ok((title, Upload { target, source }))
    }
}

fn disk(error: impl Into<std::io::Error>) -> Refusal {
    Refusal::Disk(error.into().to_string())
}

/// The path of a file within its site, without the name of the folder that was chosen; or just the name of a single file.
fn path_of(given: &str, is_site: bool) -> Result<Vec<String>, Refusal> {
    let parts: Vec<&str> = given.split(['/', '\\']).collect();
    let kept = match (is_site, parts.len()) {
        (true, 2..) => &parts[1..],
        _ => &parts[parts.len() - 1..],
    };
    let sound = |part: &&str| {
        !part.is_empty() && *part != "." && *part != ".." && !part.chars().any(char::is_control)
    };
    if kept.len() > PATH_PARTS_MAX || !kept.iter().all(sound) {
        return Err(Refusal::Form(
            "No file was chosen, or it has a name that cannot be published.",
        ));
    }
    Ok(kept.iter().map(|part| (*part).to_owned()).collect())
}

/// What the name says counts more than what the browser says, which for unknown files is nothing.
fn media_type(declared: Option<&str>, name: Option<&str>) -> Option<String> {
    let by_name = name.and_then(|name| mime_guess::from_path(name).first_raw());
    let declared = declared.filter(|declared| {
        filter::is_media_type(declared) && *declared != "application/octet-stream"
    });
    by_name.or(declared).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_sites_lose_the_chosen_folder_and_stay_inside() {
        assert_eq!(path_of("site/a/b.html", true).unwrap(), ["a", "b.html"]);
        assert_eq!(path_of("b.html", true).unwrap(), ["b.html"]);
        assert_eq!(path_of("C:\\x\\b.html", false).unwrap(), ["b.html"]);
        for bad in ["", "site/", "site/../x", "site//x", "site/a\nb"] {
            assert!(path_of(bad, true).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn types_come_from_the_name_first() {
        assert_eq!(
            media_type(Some("application/octet-stream"), Some("a.html")).as_deref(),
            Some("text/html")
        );
        assert_eq!(media_type(Some("x/y"), Some("a")).as_deref(), Some("x/y"));
        assert_eq!(
            media_type(Some("application/octet-stream"), Some("a")),
            None
        );
    }
}
