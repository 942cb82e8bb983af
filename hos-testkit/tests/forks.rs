//! A process with an open store and busy threads that forks, again and again: its children use stores of their own, fork
//! themselves, and some are killed. `cargo xtask torture forks` does it for long.

mod processes;

use hos_testkit::told::Told;
use processes::{Language, ended, found, holds, set, start};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// What became of the children.
#[derive(Debug, Default, PartialEq, Eq)]
struct Children {
    born: usize,
    killed: usize,
}

/// Every child came to its end, or was killed by who says so; of one that was killed, its own children have no other parent and come
/// to theirs.
fn children(text: &str) -> Result<Children, String> {
    let named = |word: &str| -> BTreeSet<&str> { text.lines().filter_map(|line| line.strip_prefix(word)).collect() };
    let (born, done, killed, bad) = (named("born "), named("done "), named("killed "), named("bad "));
    if !bad.is_empty() {
        return Err(format!("ended badly: {bad:?}"));
    }
    let hung: Vec<_> = born.iter().filter(|name| !done.contains(**name) && !killed.contains(**name)).collect();
    if !hung.is_empty() {
        return Err(format!("never came to their ends: {hung:?}"));
    }
    // One may be killed before its first word.
    Ok(Children { born: born.union(&killed).count(), killed: killed.len() })
}

fn storm(store: &Path, name: &str, forks: usize, seed: u64, told: &mut Told) -> Children {
    let process = start(Language::Python, "forks", &[&store.display().to_string(), name, &forks.to_string(), &seed.to_string()]);
    let text = ended(process);
    told.read(&text);
    assert!(text.contains(&format!("done {name}\n")), "{text}");
    children(&text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

#[test]
fn forks_of_a_busy_process_hang_nobody_and_lose_nothing() {
    if !Language::Python.is_here() {
        return;
    }
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let forks = if set("HOS_TEST_SECONDS").is_some() { 60 } else { 12 };
    let (mut all, mut acknowledged) = (Children::default(), 0);
    for round in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let store = found(dir.path());
        let mut told = Told::default();
        // Two such processes on one store.
        let seed = set("HOS_TEST_SEED").unwrap_or(1) * 1000 + round * 2;
        std::thread::scope(|scope| {
            let store = &store;
            let storms: Vec<_> = ["a", "b"]
                .into_iter()
                .zip(seed..)
                .map(|(name, seed)| {
                    scope.spawn(move || {
                        let mut told = Told::default();
                        (storm(store, name, forks, seed, &mut told), told)
                    })
                })
                .collect();
            for storm in storms {
                let (children, heard) = storm.join().unwrap();
                all = Children { born: all.born + children.born, killed: all.killed + children.killed };
                told.hear(heard);
            }
        });
        acknowledged += holds(&store, &told).acknowledged;
        if Instant::now() >= until {
            break;
        }
    }
    assert!(all.born >= forks && all.killed > 0, "{all:?}");
    println!("count: {} forks (nobody hung) of a busy process", all.born);
    println!("count: {} children killed of a busy process", all.killed);
    println!("count: {acknowledged} acknowledgements (none lost) of parents and children");
}

/// Planted: a child that hangs, one that ends badly.
#[test]
fn a_child_that_hangs_is_found() {
    let sound = "born a\nborn a_\nkilled a\ndone a_\nkilled b\nborn c\ndone c\n";
    assert_eq!(children(sound), Ok(Children { born: 4, killed: 2 }));
    assert!(children(&sound.replace("done a_\n", "")).unwrap_err().contains("\"a_\""), "the child of one that was killed");
    assert!(children(&sound.replace("done c", "bad c 256")).unwrap_err().contains("badly"));
}
