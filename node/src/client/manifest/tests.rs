use proptest::prelude::*;

use super::*;

fn manifest(names: &[&str]) -> Manifest {
    let mut names = names.to_vec();
    names.sort_unstable();
    let entry = |name: &&str| Entry {
        name: (*name).to_owned(),
        item: Item::Member(Member {
            content_type: None,
            container: 0,
            offset: 0,
            size: 0,
        }),
    };
    Manifest {
        default_name: Some("index.html".to_owned()),
        containers: vec![Container::Inline {
            size: 0,
            frame: Vec::new(),
        }],
        entries: names.iter().map(entry).collect(),
    }
}

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

#[test]
fn a_file_wins_over_a_folder_of_the_same_name() {
    let manifest = manifest(&["a", "a/b"]);
    assert!(matches!(manifest.lookup(&path("a")), Lookup::Found(_)));
    assert!(matches!(manifest.lookup(&path("a/b")), Lookup::Found(_)));
    assert_eq!(manifest.lookup(&path("a/")), Lookup::FolderWithoutDefault);
}

#[test]
fn a_redirect_takes_the_rest_of_the_path_along() {
    let mut manifest = manifest(&["a"]);
    let uri: crypto::Uri = "KSK@words".parse().unwrap();
    manifest.entries[0].item = Item::Redirect((&uri).into());
    assert_eq!(
        manifest.lookup(&path("a/b/c")),
        Lookup::Redirect(&(&uri).into(), &path("b/c"))
    );
    assert_eq!(
        manifest.lookup(&path("a")),
        Lookup::Redirect(&(&uri).into(), &[])
    );
    assert_eq!(
        manifest.lookup(&path("a/")),
        Lookup::Redirect(&(&uri).into(), &path(""))
    );
}

proptest! {
    #[test]
    fn every_name_is_found_and_every_folder_of_it_lists_it(names in prop::collection::btree_set("[a-c](/[a-c-]{1,2}){0,3}", 1..20)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let manifest = manifest(&names);
        prop_assert!(manifest.check().is_ok());
        for name in &names {
            prop_assert!(matches!(manifest.lookup(&path(name)), Lookup::Found(_)));
            let mut prefix = String::new();
            for part in name.split('/') {
                let listing = manifest.listing(&prefix);
                let listed = listing.entries.iter().filter(|entry| entry.name == part).count();
                // As a file, as a folder, or as both.
                prop_assert!((1..=2).contains(&listed));
                prefix.push_str(part);
                prefix.push('/');
            }
        }
    }

    #[test]
    fn any_path_gets_an_answer(names in prop::collection::btree_set("[a-c](/[a-c]){0,3}", 1..20), parts in prop::collection::vec("[a-c]{0,2}", 0..5)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let manifest = manifest(&names);
        if let Lookup::BehindFile(count) = manifest.lookup(&parts) {
            prop_assert!(count < parts.len());
            prop_assert!(names.contains(&parts[..count].join("/").as_str()));
        }
    }
}
