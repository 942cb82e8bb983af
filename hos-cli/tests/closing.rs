//! A checkpoint that cannot be stored when a program ends: what was committed before is answered all the same, where
//! `HOS_TEST_POSTGRES` and `HOS_TEST_MARIADB` name a server.

mod common;

use common::World;
use common::database::{Database, on_each};
use serde_json::json;

/// Keeps every checkpoint from being stored, or lets them in again.
fn refuse_checkpoints(database: &Database, refuse: bool) {
    let statements: &[&str] = match (database.is_postgres(), refuse) {
        (true, true) => &[
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no room''; END'",
            "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON hos_checkpoint FOR EACH ROW EXECUTE FUNCTION no_room()",
        ],
        (true, false) => &["DROP TRIGGER no_room ON hos_checkpoint", "DROP FUNCTION no_room()"],
        (false, true) => &["CREATE TRIGGER no_room BEFORE INSERT ON hos_checkpoint FOR EACH ROW SIGNAL SQLSTATE '45000'"],
        (false, false) => &["DROP TRIGGER no_room"],
    };
    for statement in statements {
        database.tell(&database.url, statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

#[test]
fn what_was_committed_is_answered_though_its_checkpoint_cannot_be_stored() {
    on_each(|database| {
        let world = World::on(database);
        world.order("o-1");
        let noted = || database.ask("SELECT size FROM hos_checkpoint WHERE tenant = 'pazar'");
        let before = noted();
        refuse_checkpoints(database, true);
        let pay = ["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"];
        let paid = world.ayse_json(&pay).ended(0);
        assert_eq!(paid.json()["allowed"], json!(true));
        assert!(paid.err.starts_with("notice hos.") && paid.err.lines().count() == 1, "{paid:?}");
        assert_eq!(noted(), before, "it could not be stored");

        // The leases that were taken are told: nobody else could acknowledge under them.
        let polled = world.run(&["outbox", "poll", "--json"]).ended(0);
        assert!(polled.err.starts_with("notice hos."), "{polled:?}");
        let message = &polled.json()["messages"][0];
        let (pos, lease) = (message["pos"].to_string(), message["lease"].as_str().unwrap().to_owned());
        world.run(&["outbox", "ack", &pos, &lease]).ended(0);
        world.run(&["tick"]).ended(0);

        refuse_checkpoints(database, false);
        let worked = world.run(&["work", "--json"]).ended(0);
        assert!(worked.err.is_empty(), "{worked:?}");
        assert_ne!(noted(), before, "whoever opens the store next signs again");
        assert_eq!(world.run(&["verify", "--json"]).ended(0).json()["level"], json!("intact"));
    });
}
