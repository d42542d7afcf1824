//! What the catalogue of requests and the captured clients send, and any bytes at all.

use super::*;

fn cases(category: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(category);
    let entries = fs::read_dir(&root).expect("the catalogue");
    let mut cases: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

/// The call of a case, and whether its text is compared.
fn case_call(case: &Path) -> (Call, bool) {
    let mut call = call(fs::read(case.join("request.xml")).expect("a request"));
    let rules = fs::read_to_string(case.join("replay.toml")).unwrap_or_default();
    let rules: toml::Table = rules.parse().expect("rules");
    let text = |key: &str| rules.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    if let Some(path) = text("path") {
        call.head.version = path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    call.head.content_type = text("content_type").or(call.head.content_type);
    let key = rules.get("headers").and_then(|headers| headers.get("Idempotency-Key"));
    let key = key.and_then(|key| key.as_str()).map(|key| key.as_bytes().to_vec());
    call.head.idempotency_key = key;
    (call, !rules.contains_key("match"))
}

/// Every case whose answer does not depend on the ledger: a fault, or the number of results.
#[tokio::test]
async fn the_catalogues_requests_are_answered_as_it_says() {
    let house = House::new(Script::Succeed).await;
    let mut faults = 0;
    for category in
        ["faults", "hostile", "encodings", "sessions", "clients", "batch", "idempotency"]
    {
        for case in cases(category) {
            let name = format!("{category}/{}", case.file_name().expect("name").display());
            // HTTP's own, and what only a ledger can know.
            if matches!(
                name.as_str(),
                "faults/content-type-json" | "idempotency/key-3-other-content"
            ) {
                continue;
            }
            let expected = fs::read_to_string(case.join("response.xml")).expect("a response");
            let (call, compare_text) = case_call(&case);
            let other_user = !call.body.windows(11).all(|bytes| bytes != b"{{session:c");
            if other_user {
                continue;
            }
            let answer = house.answer(call).await;
            let (got, expected) = (text(&answer), expected.trim_end());
            assert_eq!(got.contains("Fault>"), expected.contains("Fault>"), "{name}: {got}");
            if !got.contains("Fault>") {
                let rows = |text: &str| text.matches("<ns1:result>").count();
                assert_eq!(rows(got), rows(expected), "{name}");
                continue;
            }
            faults += 1;
            if compare_text {
                assert_eq!(got, expected, "{name}");
            } else {
                let reported = "The request is not well-formed XML: ";
                assert!(fault_text(&answer).starts_with(reported), "{name}: {got}");
            }
        }
    }
    assert!(faults > 70, "only {faults} faults in the catalogue");
}

/// Each client's way of writing the same refund is read as the same draft.
#[tokio::test]
async fn every_client_is_understood() {
    for client in [
        "active-zuora",
        "all-in-the-default-namespace",
        "axis",
        "comments-everywhere",
        "csharp-wcf-42",
        "fields-to-null-first",
        "gsoap",
        "guardian-text-plain",
        "header-in-the-object-namespace",
        "jax-ws",
        "leading-blank-lines",
        "mono",
        "no-namespaces-in-the-body",
        "node-soap",
        "node-zuora-cdata",
        "php-junk-query-options",
        "php-newline-after-the-envelope",
        "sage",
        "soap-12-as-text-xml",
        "soap-lite",
        "soap-lite-typed-leaves",
        "soap4r",
        "strong-soap",
        "suds",
        "suds-body-rebound",
        "zeep",
        "zuora-gem-soap-12",
        "zuora-ruby",
    ] {
        let house = House::new(Script::Succeed).await;
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(client);
        let answer = house.answer(case_call(&case).0).await;
        assert_eq!((answer.status, answer.refunds), (200, 1), "{client}: {}", text(&answer));
        assert_eq!(answer.ignored_fields, 0, "{client}");
        let asked = house.asked();
        let Drafts::Refunds(drafts) = &asked[0].drafts else { panic!("{client}") };
        let draft = &drafts[0];
        assert!(draft.common.malformed_id.is_none(), "{client}: {draft:?}");
        let given = [
            draft.account_id.given().is_some(),
            draft.amount.given().is_some(),
            draft.source_type.given().is_some(),
            draft.refund_type.given().is_some(),
            draft.method_type.given().is_some() || draft.payment_method_id.given().is_some(),
        ];
        assert_eq!(given, [true; 5], "{client}: {draft:?}");
    }
}

/// The answer is an envelope with a fault or a response in it.
fn assert_proper(answer: &Answer) {
    let text = text(answer);
    let document =
        parse(text, &XmlLimits::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let local = |element: ElementRef<'_>| element.local().to_owned();
    assert_eq!(local(document.root()), "Envelope");
    let body = document.root().children().next().expect("a Body");
    let inside = body.children().next().map(local).expect("an answer");
    assert_eq!(inside == "Fault", answer.outcome.name() != "ok", "{text}");
    assert_eq!(answer.status == 200, answer.outcome.name() == "ok", "{text}");
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let cut_and_glued = |(mut bytes, at, other): (Vec<u8>, prop::sample::Index, Vec<u8>)| {
        let at = at.index(bytes.len() + 1);
        let end = (at + other.len() / 2).min(bytes.len());
        bytes.splice(at..end, other);
        bytes
    };
    let seed = prop::sample::select(vec![
        create(REFUND).into_bytes(),
        envelope(
            "<query><queryString>select Id from Refund where Amount = 1</queryString></query>",
        )
        .into_bytes(),
        envelope("<queryMore><queryLocator>00-0</queryLocator></queryMore>").into_bytes(),
        envelope("<login><username>a</username><password>b</password></login>").into_bytes(),
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients/jax-ws/request.xml"))
            .expect("a request"),
    ]);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "<zObjects i:type='o:Refund'>",
            "</zObjects>",
            "<o:Amount>",
            "</o:Amount>",
            "i:nil='1'",
            "<![CDATA[",
            "]]>",
            "&#0;",
            "&amp;",
            "<!--",
            "xmlns:o=''",
            "e:mustUnderstand='1'",
            "\0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (seed, any::<prop::sample::Index>(), piece).prop_map(cut_and_glued),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_get_one_well_formed_answer(
        body in any_request(),
        version in prop::sample::select(vec!["91.0", "18.0", "x\0&<"]),
        content_type in prop::sample::select(vec![
            None, Some("text/xml"), Some("application/soap+xml; charset=\"utf-16\""), Some(";;=;"),
        ]),
        idempotency_key in prop::option::of(prop::collection::vec(any::<u8>(), 0..4)),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let call = call(body);
        let call = Call {
            head: Head { idempotency_key, ..head(version, content_type) },
            ..call
        };
        let answer = async { House::new(Script::Succeed).await.answer(call).await };
        let answer = runtime.expect("runtime").block_on(answer);
        assert_proper(&answer);
    }
}
