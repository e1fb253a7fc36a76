//! `anonymity.choice`: how hidden requests are, where somebody has chosen that in the web interface.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::client::{Hiding, UsualHiding};
use crate::data_dir::{read_text_bounded, replace_file};

/// Name of the file in the data folder.
const FILE_NAME: &str = "anonymity.choice";

/// Two lines, and room for comments.
const FILE_LEN_MAX: u64 = 4096;

const HEAD: &str = "# How many nodes hide your requests, as chosen in the web interface. It holds as long as the configuration says what \
     it said then.\n";

/// The file of one node, and what holds now.
#[derive(Clone, Debug)]
pub(super) struct HidingFile {
    path: PathBuf,
    configured: Hiding,
    usual: Arc<UsualHiding>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    hops: u8,
    /// What the configuration said. Who changes that later, or gives another number at a start, means it.
    instead_of: u8,
}

impl HidingFile {
    /// The file in a data folder of a node whose configuration says `configured`. The choice in it holds if there is one; a
    /// damaged file, which is logged, leaves what is configured.
    pub(super) fn open(data_dir: &Path, configured: Hiding) -> Self {
        let path = data_dir.join(FILE_NAME);
        let chosen = match read_text_bounded(&path, FILE_LEN_MAX) {
            Ok(text) => chosen(&text, configured),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "{FILE_NAME} cannot be read; the level of anonymity is that of the configuration");
                }
                None
            }
        };
        let usual = Arc::new(UsualHiding::new(chosen.unwrap_or(configured)));
        Self {
            path,
            configured,
            usual,
        }
    }

    /// How hidden requests are.
    pub(super) const fn usual(&self) -> &Arc<UsualHiding> {
        &self.usual
    }

    /// What holds if nothing else is chosen.
    pub(super) const fn configured(&self) -> Hiding {
        self.configured
    }

    /// Replaces what is in it, in one step.
    ///
    /// # Errors
    /// What the file system says; the old file is then untouched.
    pub(super) fn write(&self, chosen: Hiding) -> io::Result<()> {
        let document = Document {
            hops: chosen.hops(),
            instead_of: self.configured.hops(),
        };
        let text = toml::to_string(&document).map_err(io::Error::other)?;
        replace_file(&self.path, format!("{HEAD}{text}").as_bytes(), 0o600).map(drop)
    }
}

/// What a file says, if it holds for what is configured now.
fn chosen(text: &str, configured: Hiding) -> Option<Hiding> {
    let Ok(document) = toml::from_str::<Document>(text) else {
        tracing::warn!(
            "{FILE_NAME} is damaged; the level of anonymity is that of the configuration"
        );
        return None;
    };
    let holds = document.instead_of == configured.hops();
    Hiding::from_hops(document.hops).filter(|_| holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(number: u8) -> Hiding {
        Hiding::from_hops(number).unwrap()
    }

    fn held(folder: &tempfile::TempDir, configured: u8) -> Hiding {
        HidingFile::open(folder.path(), hops(configured))
            .usual()
            .get()
    }

    #[test]
    fn a_choice_holds_until_the_configuration_says_something_else() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(held(&folder, 6), hops(6));
        let file = HidingFile::open(folder.path(), hops(6));
        file.write(hops(0)).unwrap();
        assert_eq!(held(&folder, 6), Hiding::Off);
        assert_eq!(held(&folder, 8), hops(8));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        for damaged in ["", "hops = 0", "hops = 3\ninstead_of = 4", "\u{7f}"] {
            std::fs::write(folder.path().join(FILE_NAME), damaged).unwrap();
            assert_eq!(held(&folder, 4), hops(4), "{damaged}");
        }
    }
}
