//! Stories that fit into no bundle: that is told before one is written, and nothing of them is lost.

mod support;

use hos_core::audit;
use hos_core::call::Transition;
use hos_core::id::{InstanceId, Name};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::proof::trust::Trust;
use hos_core::refusal::Code;
use hos_engine::{ExportOptions, Level, Settings, VerifyOptions};
use std::sync::Arc;
use support::{Store, fresh_under, law, new_order, root, uid};

/// A law under which an order's text is written again and again.
fn with_text(path: &str, text: String) -> String {
    match path {
        "schema.cedarschema" => {
            let put = "action \"o.put\" appliesTo{principal:[A],resource:[O],context:{v:String}};\n";
            text.replace("action \"o.new\"", &format!("{put}action \"o.new\""))
        }
        "contracts/o.toml" => {
            let put =
                "[event.put]\nfrom=[\"a\"]\nto=\"a\"\nself_loop=true\nsets={text=\"args.v\"}\n[event.put.args]\nv=\"String\"\n";
            text.replace("who=\"A\"\n", "who=\"A\"\ntext=\"String?\"\n").replace("[event.late]", &format!("{put}[event.late]"))
        }
        _ => text,
    }
}

fn put(store: &Store, text: &str) {
    let put = Transition::new(uid("A", "root"), "o", "1", "put").unwrap().arg("v", text);
    let answer = store.tenant("t1").transition(put).unwrap();
    assert!(answer.allowed && !answer.again, "{:?}", answer.blockers);
}

fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn a_story_that_is_larger_than_a_bundle_is_told_with_what_to_do() {
    let store = fresh_under(Settings::default(), with_text);
    let (tenant, contract, id) = (store.tenant("t1"), Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    // What is given, and what it is from then on: two megabytes each at the least.
    let text = "x".repeat(1_000_000);
    (0..36).for_each(|_| put(&store, &text));
    let Err(refused) = tenant.export(&contract, &id, &ExportOptions::default()) else { panic!("it fits") };
    assert_eq!(refused.code, Code::CallTooLarge);
    for told in ["`o/1`", "67108864 bytes", "`*.facts`", "proofs", "tiles"] {
        assert!(refused.message.contains(told), "{told}: {}", refused.message);
    }
    let hide = vec!["*.facts".to_owned(), "*.slice".to_owned()];
    let exported = tenant.export(&contract, &id, &ExportOptions { hide, ..ExportOptions::default() }).unwrap();
    assert_eq!(exported.records, 37);
    assert_eq!(tenant.export_proofs(&contract, &id).unwrap().len(), 37);
    intact(&store);
}

#[test]
fn a_story_under_more_laws_than_a_bundle_holds_is_not_exported() {
    let store = fresh_under(Settings::default(), with_text);
    let (tenant, contract, id) = (store.tenant("t1"), Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let edition = |n: usize| -> Law {
        law::law_but(|path, text| {
            let text = with_text(path, text);
            if path == "policies/p.cedar" { format!("{text}// {n}\n") } else { text }
        })
    };
    let moved_under = |n: usize| {
        assert!(store.engine.activate(&root(), Arc::new(edition(n)), None, Modes::default()).unwrap().allowed);
        put(&store, "x");
    };
    (2..=64).for_each(moved_under);
    let exported = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let verdict = audit::bundle(&exported.bytes, &Trust::parse(exported.trust.as_bytes()).unwrap(), &[]);
    assert!(verdict.holds(), "{verdict:?}");
    moved_under(65);
    let refused = tenant.export(&contract, &id, &ExportOptions::default()).unwrap_err();
    assert_eq!(refused.code, Code::CallTooLarge);
    for told in ["`o/1`", "65 laws", "proofs", "tiles"] {
        assert!(refused.message.contains(told), "{told}: {}", refused.message);
    }
    intact(&store);
}
