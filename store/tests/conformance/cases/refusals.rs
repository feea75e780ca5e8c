//! What is refused is explained, and no message holds a password.

use flotilla_store::{StoreError, open};

use crate::place::Place;

pub async fn refusals(place: Place) {
    for (settings, part) in [("timeout=fast", "timeout"), ("timeout=0s", "timeout"), ("colour=red", "setting")] {
        match open(&place.url(settings)).await {
            Err(StoreError::BadUrl { field, .. }) => assert_eq!(field, part),
            other => panic!("{settings}: {:?}", other.err()),
        }
    }
    match open("mysql://root:s3cret@localhost/x").await {
        Err(error @ StoreError::BadUrl { field: "scheme", .. }) => {
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
        other => panic!("{:?}", other.err()),
    }
    let Some(server) = &place.server else { return };
    drop(place.open().await);
    let refused = open(&server.wrong_url).await.err().expect("a wrong password");
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{refused:?}");

    let scheme = place.url("").split(':').next().unwrap().to_owned();
    let nobody = format!("{scheme}://u:s3cret@127.0.0.1:{}/?timeout=500ms", crate::place::free_port());
    let away = open(&nobody).await.err().expect("nobody listens there");
    assert!(away.is_unavailable(), "{away}");
    assert!(!format!("{away} {away:?}").contains("s3cret"), "{away:?}");
    assert!(away.to_string().contains("127.0.0.1"), "it says where: {away}");
}
