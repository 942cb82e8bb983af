//! What the law adds to a host's transaction: the same work with a joined call and without, in turns, on each database that the
//! environment names (`HOS_TEST_POSTGRES`, `HOS_TEST_MARIADB`) and on an SQLite file.
//!
//! `cargo run --release -p hos-drivers --example cost [ROUNDS]`

#[path = "../tests/world/mod.rs"]
mod world;

use hos_drivers::join::{AnyError, End};
use std::time::{Duration, Instant};
use world::{World, birth, go, kinds, once};

fn main() -> Result<(), AnyError> {
    let rounds: u32 = std::env::args().nth(1).map_or(Ok(300), |text| text.parse())?;
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            for joins in [false, true] {
                let id = format!("{round}-{joins}");
                // The birth is no part of what is measured.
                let born = client.run(&joining, |tx| {
                    tx.write(&format!("INSERT INTO orders VALUES ('{id}', 'a')"))?;
                    Ok(tx.call(birth(&id))?.end())
                })?;
                assert!(born.allowed, "{id}");
                let since = Instant::now();
                let moved = client.run(&joining, |tx| {
                    tx.write(&format!("UPDATE orders SET status = 'b' WHERE id = '{id}'"))?;
                    tx.write(&format!("INSERT INTO pays VALUES ('{id}', 'evt-{id}')"))?;
                    let allowed = !joins || tx.call(once(go(&id), &id))?.allowed;
                    Ok(End::Commit(allowed))
                })?;
                assert!(moved, "{id}");
                if joins { &mut with } else { &mut without }.push(since.elapsed());
            }
        }
        let (a, b) = (median(&mut without), median(&mut with));
        let ratio = b.as_secs_f64() / a.as_secs_f64();
        println!("{:9} without {a:?}, with {b:?}, ratio {ratio:.2}", kind.dialect().name());
        world.intact();
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
