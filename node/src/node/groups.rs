//! Which requests of the web interface may be seen together: those for one site, for some minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crypto::Uri;
use routing::Group;

use crate::client::new_group;

/// A site keeps its group so long after the last request: a visit, with time to read a page.
const KEPT: Duration = Duration::from_mins(5);

/// Sites at a time; the one that was asked for longest ago is forgotten.
const SITES_MAX: usize = 256;

/// The sites that were asked for lately.
#[derive(Default)]
pub(super) struct SiteGroups(Mutex<HashMap<[u8; 32], (Group, Instant)>>);

impl SiteGroups {
    /// The group of what an address leads to, which is that of everything on the same site.
    pub(super) fn of(&self, uri: &Uri) -> Group {
        self.of_at(uri, Instant::now())
    }

    fn of_at(&self, uri: &Uri, now: Instant) -> Group {
        let site = site_of(uri);
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sites.retain(|_, (_, used)| now.duration_since(*used) < KEPT);
        if !sites.contains_key(&site) && sites.len() >= SITES_MAX {
            let oldest = sites.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(site, _)| *site) {
                sites.remove(&oldest);
            }
        }
        let (group, used) = sites.entry(site).or_insert_with(|| (new_group(), now));
        *used = now;
        *group
    }
}

/// Names a site without its path and edition, so that the table holds no addresses.
fn site_of(uri: &Uri) -> [u8; 32] {
    let mut uri = uri.clone();
    match &mut uri {
        Uri::Content { path, .. } | Uri::Signed { path, .. } | Uri::Keyword { path, .. } => {
            path.clear();
        }
        Uri::Updatable { path, edition, .. } => {
            path.clear();
            *edition = 0;
        }
    }
    *blake3::hash(uri.to_string().as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_site_has_one_group_until_nobody_looks_at_it_for_a_while() {
        let groups = SiteGroups::default();
        let start = Instant::now();
        let page = groups.of_at(&uri("KSK@site/index.html"), start);
        let later = start + KEPT / 2;
        assert_eq!(groups.of_at(&uri("KSK@site/picture.png"), later), page);
        assert_ne!(groups.of_at(&uri("KSK@other/index.html"), later), page);
        assert_eq!(groups.of_at(&uri("KSK@site/end.html"), start + KEPT), page);
        assert_ne!(groups.of_at(&uri("KSK@site/a"), start + 3 * KEPT), page);
    }

    #[test]
    fn the_number_of_sites_is_bounded() {
        let groups = SiteGroups::default();
        for number in 0..2 * SITES_MAX {
            let _ = groups.of(&uri(&format!("KSK@site-{number}/")));
        }
        assert_eq!(groups.0.lock().unwrap().len(), SITES_MAX);
    }
}
