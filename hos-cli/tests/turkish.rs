//! What fails in `hos history` and `hos verify` is said in Turkish to whoever asked for it, under the same codes.

mod common;

use common::{Run, World};

/// Runs it in both languages; gives what was said in Turkish.
fn both(world: &World, arguments: &[&str], exit: i32) -> (String, String) {
    let said = |language: &str| -> Run { world.run(&[arguments, &["--lang", language]].concat()).ended(exit) };
    let text = |run: Run| run.out + &run.err;
    (text(said("en")), text(said("tr")))
}

#[test]
fn what_fails_is_said_in_both_languages() {
    let world = World::new();
    world.order("o-1");
    let (bundle, trust) = (world.path("o-1.hosb"), world.path("o-1.trust"));
    world.run(&["export", "--instance", "order/o-1", "-o", &bundle, "--trust-out", &trust]).ended(0);
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(world.path(name), bytes).unwrap();
        world.path(name)
    };
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let cut = write("cut.hosb", &bytes[..middle]);
    let named = std::fs::read_to_string(&trust).unwrap();
    let no_quorum = write("no-quorum.trust", named.replace("quorum none\n", "").as_bytes());
    let nonsense = write("nonsense.trust", (named.clone() + "nonsense\n").as_bytes());
    let other = write("other.trust", named.replace("/pazar/0", "/baska/0").as_bytes());
    let fork = write("report", b"hos fork 1\nroot x\n");
    let note = write("kept.note", b"no note");
    let page = write("page.html", b"mine");
    let none = world.path("none");
    let table: Vec<(Vec<&str>, i32, &str, &str)> = vec![
        (vec!["history", "order", "none"], 1, "hos.instance_unknown", "Böyle bir iş yok."),
        (vec!["history", "ordre", "o-1"], 1, "hos.contract_unknown", "Kanunda böyle bir sözleşme yok."),
        (vec!["history", "order", "o-1", "--tenant", "nowhere"], 2, "hos.tenant_unknown", "böyle bir kiracı yok"),
        (vec!["history", "order", ""], 2, "hos.id_invalid", "Bir kimlik boş"),
        (vec!["history", "order", "o-1", "--html", &page], 2, "hos.call_malformed", "yazılamıyor"),
        (vec!["history", "order", "o-1", "--key-file", &none], 4, "hos.key_invalid", "Anahtar dosyası yok"),
        (vec!["verify", &cut, "--trust", &trust], 3, "bundle.not_canonical", "delil dosyası değil"),
        (vec!["verify", &bundle, "--trust", &other], 2, "policy.key", "bir anahtar bozuk"),
        (vec!["verify", &bundle, "--trust", &no_quorum], 2, "policy.no_quorum", "yeter sayı satırı yok"),
        (vec!["verify", &bundle, "--trust", &nonsense], 2, "policy.syntax", "4. satır"),
        (vec!["verify", &bundle, "--trust", &none], 4, "hos.store_unavailable", "okunamıyor"),
        (vec!["verify", &bundle, "--trust", &trust, "--against", &note], 3, "checkpoint.malformed", "denetim noktası tutmuyor"),
        (vec!["verify", &fork, "--trust", &trust], 3, "fork.malformed", "çatallanmayı kanıtlamıyor"),
        (vec!["verify", "--against", &none], 2, "hos.call_malformed", "okunamıyor"),
        (vec!["verify", "--against", &note], 3, "broken", "bozuk"),
    ];
    for (arguments, exit, code, words) in table {
        let (english, turkish) = both(&world, &arguments, exit);
        assert!(english.contains(code) && !english.contains(words), "{arguments:?}: {english}");
        assert!(turkish.contains(words), "{arguments:?}: {turkish}");
        assert!(code == "broken" || turkish.contains(code), "the code is the same in both: {turkish}");
        assert!(
            !turkish.lines().any(|line| line.starts_with("error") || line.starts_with("refused")),
            "{arguments:?}: {turkish}"
        );
        let json = world.run(&[&arguments[..], &["--lang", "tr", "--json"]].concat()).ended(exit);
        assert!(code == "broken" || json.code() == code, "{arguments:?}: a program reads the code: {json:?}");
    }
}
