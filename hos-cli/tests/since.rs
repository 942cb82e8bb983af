//! A store verified from a checkpoint on that was kept outside: on a file, and on the databases that the environment names.

mod common;

use common::shop::everywhere;
use serde_json::json;

#[test]
fn a_store_is_verified_from_the_checkpoint_that_was_kept() {
    everywhere(|shop| {
        let many = |from: u32| {
            let rows: Vec<String> = (from..from + 300).map(|i| format!("('m-{i:04}', 'ayse', 1, 'open')")).collect();
            shop.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")));
            shop.adopt("rows.toml", &[]).ended(0);
            shop.hos(&["work"]).ended(0);
        };
        many(0);
        let note = shop.hos(&["checkpoint"]).ended(0).out;
        shop.hos(&["checkpoint", "-o", "kept"]).ended(0);
        assert_eq!(std::fs::read_to_string(shop.world.path("kept")).unwrap(), note);
        assert_eq!(shop.hos(&["checkpoint", "--json"]).ended(0).json(), json!({ "tenant": "pazar", "checkpoint": note }));
        shop.hos(&["checkpoint", "-o", "kept"]).ended(2);
        many(300);
        let all = shop.hos(&["verify", "--json"]).ended(0).json();
        let since = shop.hos(&["verify", "--since", "kept", "--json"]).ended(0).json();
        assert_eq!((&since["level"], &since["logs"]), (&json!("anchored"), &all["logs"]), "{since}");
        assert_eq!(since["since"], json!([{ "tenant": "pazar", "entry": 256 }]), "{since}");
        assert_eq!(since["records"], all["records"].as_u64().unwrap() - 256);
        // What the checkpoint reaches is said, and what it does not.
        assert_eq!(since["anchored"], json!([{ "tenant": "pazar", "size": 300 }]), "{since}");
        let beyond = "no checkpoint from outside reaches `pazar` from entry 300 to 599, `universe`";
        assert!(since["notices"].to_string().contains(beyond), "{since}");
        assert_eq!(all["anchored"], json!([]), "{all}");
        let said = shop.hos(&["verify", "--since", "kept"]).ended(0).out;
        assert!(said.contains("since    pazar: entry 256\n") && said.contains("was read from entry 256 on"), "{said}");
        let said = shop.hos(&["--lang", "tr", "verify", "--since", "kept"]).ended(0).out;
        assert!(said.contains("şuradan  pazar: girdi 256\n"), "{said}");
        // What is no checkpoint of the log shortens nothing, and no bundle and no replay goes on from one.
        std::fs::write(shop.world.path("bent"), note.replacen('\n', "\n1", 1)).unwrap();
        let bent = shop.hos(&["verify", "--since", "bent", "--json"]).ended(3).json();
        assert_eq!((&bent["since"], &bent["records"]), (&json!([]), &all["records"]), "{bent}");
        shop.hos(&["verify", "--since", "kept", "--replay"]).ended(2);
        shop.hos(&["verify", "--since", "nowhere"]).ended(2);
    });
}
