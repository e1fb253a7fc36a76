//! Choosing how hidden requests are.

use crate::client::{Answer, Rig};

async fn post(rig: &Rig, headers: &str, body: &str) -> Answer {
    let (host, length) = (rig.host(), body.len());
    rig.raw(&format!(
        "POST /settings HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
    .await
}

fn hops(rig: &Rig) -> u8 {
    *rig.network.hops.lock().expect("no test panics here")
}

#[tokio::test]
async fn a_level_is_chosen_and_shown_as_the_one_in_use() {
    let rig = Rig::new().await;
    let token = rig.token("/settings").await;
    let answer = post(&rig, "", &format!("token={token}&hops=2")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/settings?saved"))
    );
    assert_eq!(hops(&rig), 2);
    let page = rig.get("/settings?saved").await.text();
    assert!(page.contains("role=\"status\""), "{page}");
    assert_eq!(page.matches(" checked").count(), 1, "{page}");
    assert!(page.contains("value=\"2\" checked"), "{page}");
    let places = ["2 nodes", "in use", "6 nodes (usual)"];
    let place = |word| page.find(word).unwrap_or_else(|| panic!("{word}: {page}"));
    assert!(place("6 nodes (usual)") < place("from the configuration"));
    assert!(place(places[0]) < place(places[1]) && place(places[2]) < place(places[0]));
}

#[tokio::test]
async fn being_seen_by_neighbours_has_to_be_confirmed() {
    let rig = Rig::new().await;
    let token = rig.token("/settings").await;
    let answer = post(&rig, "", &format!("token={token}&hops=0")).await;
    assert_eq!((answer.status, hops(&rig)), (400, 6));
    let page = answer.text();
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(page.contains("value=\"0\" checked"), "{page}");
    let answer = post(&rig, "", &format!("token={token}&hops=0&confirm=yes")).await;
    assert_eq!((answer.status, hops(&rig)), (303, 0));
    let status = rig.get("/status").await.text();
    assert!(status.contains("It is switched off"), "{status}");
}

#[tokio::test]
async fn forms_of_others_and_choices_that_do_not_exist_change_nothing() {
    let rig = Rig::new().await;
    let token = rig.token("/settings").await;
    let right = format!("token={token}&hops=0&confirm=yes");
    for headers in [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        assert_eq!(post(&rig, headers, &right).await.status, 403, "{headers}");
    }
    for (body, status) in [
        ("token=wrong&hops=0&confirm=yes".to_owned(), 403),
        ("hops=0&confirm=yes".to_owned(), 400),
        (format!("token={token}"), 400),
        (format!("token={token}&hops=3"), 400),
        (format!("token={token}&hops=300"), 400),
        (format!("token={token}&hops=2&x={}", "x".repeat(5000)), 400),
    ] {
        assert_eq!(post(&rig, "", &body).await.status, status, "{body}");
    }
    assert_eq!(hops(&rig), 6);
}
