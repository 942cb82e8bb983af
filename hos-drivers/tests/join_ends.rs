//! What a host's transaction ends in that could not do its work.

mod world;

use hos_core::refusal::Code;
use hos_drivers::join::Dialect;
use world::{World, birth, go, kinds};

#[test]
fn a_database_that_takes_no_writes_says_so() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let begun: &[&str] = match kind.dialect() {
            Dialect::Sqlite => &["PRAGMA query_only = ON", "BEGIN"],
            Dialect::Postgres => &["BEGIN READ ONLY"],
            Dialect::Mysql => &["START TRANSACTION READ ONLY"],
        };
        for call in [birth("1"), go("1")] {
            begun.iter().for_each(|sql| client.say(sql).unwrap());
            let error = client.call(&joining, call).err().unwrap();
            assert_eq!(error.code(), Code::StoreReadOnly, "{kind:?}: {error}");
            client.say("ROLLBACK").unwrap();
        }
    }
}
