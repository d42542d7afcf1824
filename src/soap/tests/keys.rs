//! Keys that make calls idempotent: where they are found, what they promise.

use super::*;

#[tokio::test]
async fn a_key_goes_to_the_ledger_and_its_stored_answer_comes_back() {
    let house = House::new(Script::Replay).await;
    let answer = house.answer(with_key(b"k", create(REFUND))).await;
    assert_eq!(text(&answer), "<stored/>");
    assert!(answer.replayed);
    assert_eq!(house.asked()[0].key.as_deref(), Some("k"));
}

#[tokio::test]
async fn a_fresh_answer_is_the_same_with_and_without_a_key() {
    let rows = vec![Ok(refund(1)), Err(RowError::too_long())];
    let house = House::new(Script::Rows(rows)).await;
    let with = house.answer(with_key(b"k", create(&REFUND.repeat(2)))).await;
    let without = house.answer(call(create(&REFUND.repeat(2)))).await;
    assert_eq!(with, without);
    assert_eq!((with.refunds, with.row_errors, with.replayed), (1, 1, false));
}

#[tokio::test]
async fn fingerprints_tell_requests_apart_and_not_their_spelling() {
    let house = House::new(Script::Succeed).await;
    let plain = create(REFUND);
    let shorter = plain.replace("o:", "object:").replace("xmlns:o=", "xmlns:object=");
    let shorter = shorter.replace("1.00", "1").replace("'", "\"");
    let other_soap = plain.replace(SOAP_11, "http://www.w3.org/2003/05/soap-envelope");
    let single = plain.replace(
        "</e:Header>",
        "<CallOptions><useSingleTransaction>true</useSingleTransaction></CallOptions></e:Header>",
    );
    let other_amount = plain.replace("1.00", "2.00");
    let mut old = with_key(b"k", plain.clone());
    old.head.version = "42.0".to_owned();
    assert_eq!(house.answer(old).await.status, 200);
    for body in [&plain, &shorter, &other_soap, &single, &other_amount] {
        assert_eq!(house.answer(with_key(b"k", body.clone())).await.status, 200, "{body}");
    }
    let prints: Vec<_> = house.asked().into_iter().map(|asked| asked.fingerprint).collect();
    assert_eq!(prints[0], prints[1], "the version of the API");
    assert_eq!(prints[0], prints[2], "prefixes, quotes and zeros");
    for (index, other) in prints.iter().enumerate().skip(3) {
        assert_ne!(prints[0], *other, "{index}");
    }
}

#[tokio::test]
async fn a_reused_or_malformed_key_is_a_fault() {
    let house = House::new(Script::KeyReused).await;
    let answer = house.answer(with_key(b"k", create(REFUND))).await;
    assert_eq!((answer.status, answer.outcome.name()), (422, "DUPLICATE_VALUE"));
    for key in [&b""[..], b"two words", b"\xFF", &[b'k'; 256]] {
        let answer = house.answer(with_key(key, create(REFUND))).await;
        assert_eq!((answer.status, answer.outcome.name()), (400, "Client"));
    }
    assert_eq!(house.asked().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_still_running_is_a_fault() {
    let house = House::new(Script::Hang).await;
    let first = house.reply(Call {
        deadline: (Instant::now() + Duration::from_millis(300)).into(),
        ..with_key(b"k", create(REFUND))
    });
    let second = async {
        while house.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        house.answer(with_key(b"k", create(REFUND))).await
    };
    let (_, answer) = tokio::join!(first, second);
    assert_eq!((answer.status, answer.outcome.name()), (409, "LOCK_COMPETITION"));
}

/// The keys of create calls with these objects, where Comment may carry one.
async fn keys_in_comments(calls: &[String]) -> Vec<Option<String>> {
    let settings =
        ServiceSettings { idempotency_field: Some("Comment".to_owned()), ..Default::default() };
    let house = House::with(Script::Succeed, settings).await;
    for objects in calls {
        house.answer(call(create(objects))).await;
    }
    house.asked().into_iter().map(|asked| asked.key).collect()
}

fn comment(text: &str) -> String {
    REFUND.replace("key-1", text)
}

#[tokio::test]
async fn any_text_of_a_field_is_a_key_where_configured() {
    let calls = ["key-1", "", "two words", "two words ", "é", &"k".repeat(255), &"k".repeat(256)];
    let keys = keys_in_comments(&calls.map(comment)).await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digest = |text: &str| Some(format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())[..])));
    let expected = [
        Some("key-1".to_owned()),
        None,
        digest("two words"),
        digest("two words"),
        digest("é"),
        Some("k".repeat(255)),
        digest(&"k".repeat(256)),
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn the_texts_of_all_objects_make_one_key() {
    let calls = [
        [comment("ab"), comment("c")].concat(),
        [comment(" ab"), comment("c\n")].concat(),
        [comment("a"), comment("bc")].concat(),
        [comment("c"), comment("ab")].concat(),
        comment("ab").repeat(2),
        comment("ab").repeat(3),
        comment("ab"),
        comment("abc"),
        [comment("ab"), comment("")].concat(),
    ];
    let mut keys = keys_in_comments(&calls).await;
    assert_eq!(keys.pop(), Some(None), "an object without a text leaves the call without a key");
    assert_eq!(keys.remove(1), keys[0], "blanks around a text do not count");
    let distinct: std::collections::HashSet<_> = keys.iter().flatten().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}

#[tokio::test]
async fn the_header_counts_before_the_field() {
    let settings =
        ServiceSettings { idempotency_field: Some("Comment".to_owned()), ..Default::default() };
    let house = House::with(Script::Succeed, settings).await;
    house.answer(with_key(b"header", create(REFUND))).await;
    assert_eq!(house.asked().remove(0).key.as_deref(), Some("header"));
}
