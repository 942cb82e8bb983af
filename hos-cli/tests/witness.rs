//! Witnesses: a witness written here from C2SP tlog-witness and tlog-cosignature, asked by `hos witness` and `hos export`.

mod common;

use common::World;
use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteKey, WitnessKey, cosignature, hash_from_base64};
use hos_core::proof::key::SealKey;
use hos_core::proof::tree::verify_consistency;
use serde_json::json;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a witness does instead of its duty.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Honest,
    /// Answers with the lines of somebody else's key.
    Stranger,
    /// Signs another text.
    Forges,
    /// Says each time that it is further on.
    Flees,
    /// Talks without end.
    Endless,
    /// Sends the caller elsewhere.
    Redirects,
    /// Hangs up.
    HangsUp,
}

struct Witness {
    name: String,
    key: SealKey,
    log: NoteKey,
    mood: Mutex<Mood>,
    /// The newest checkpoint of each origin.
    seen: Mutex<HashMap<String, Checkpoint>>,
}

impl Witness {
    /// Starts one that knows a log; gives its address.
    fn start(n: u8, log: &NoteKey) -> (Arc<Self>, String) {
        let name = format!("witness.example/w{n}");
        let witness = Self {
            name,
            key: SealKey::from_seed(&[n; 32]),
            log: log.clone(),
            mood: Mutex::new(Mood::Honest),
            seen: Mutex::default(),
        };
        let witness = Arc::new(witness);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/prefix/", listener.local_addr().unwrap());
        let serving = witness.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is its own trouble.
                let _ = serving.serve(stream.unwrap());
            }
        });
        (witness, address)
    }

    fn vkey(&self) -> String {
        WitnessKey::new(self.name.as_str(), self.key.verify_key()).unwrap().to_string()
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut head, mut length) = (String::new(), 0);
        reader.read_line(&mut head)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut out = stream;
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::HangsUp {
            return Ok(());
        }
        if mood == Mood::Endless {
            write!(out, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                out.write_all(&[b'x'; 4096])?;
            }
        }
        let (status, kind, answer) = if mood == Mood::Redirects {
            ("302 Found\r\nLocation: http://127.0.0.1:1/", "text/plain", String::new())
        } else if head.starts_with("POST /prefix/add-checkpoint HTTP/1.1") {
            self.add(&String::from_utf8_lossy(&body), mood)
        } else {
            ("404 Not Found", "text/plain", String::new())
        };
        write!(
            out,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        )
    }

    /// `add-checkpoint`, rule by rule.
    fn add(&self, body: &str, mood: Mood) -> (&'static str, &'static str, String) {
        let no = |status| (status, "text/plain", String::new());
        let Some((head, note)) = body.split_once("\n\n") else { return no("400 Bad Request") };
        let mut lines = head.split('\n');
        let old: Option<u64> = lines.next().and_then(|l| l.strip_prefix("old ")).and_then(|n| n.parse().ok());
        let proof: Option<Vec<TreeHash>> = lines.map(hash_from_base64).collect();
        let (Some(old), Some(proof)) = (old, proof) else { return no("400 Bad Request") };
        assert!(proof.len() <= 63);
        let Ok(parsed) = Note::parse(note.as_bytes()) else { return no("400 Bad Request") };
        let Ok(said) = Checkpoint::parse(parsed.text()) else { return no("400 Bad Request") };
        if said.origin != self.log.name() {
            return no("404 Not Found");
        }
        if parsed.verify(&self.log).is_err() {
            return no("403 Forbidden");
        }
        if old > said.size {
            return no("400 Bad Request");
        }
        let mut seen = self.seen.lock().unwrap();
        let last = seen.get(&said.origin).cloned();
        let size = last.as_ref().map_or(0, |last| last.size);
        if mood == Mood::Flees {
            return ("409 Conflict", "text/x.tlog.size", format!("{}\n", old + 1));
        }
        if old != size {
            return ("409 Conflict", "text/x.tlog.size", format!("{size}\n"));
        }
        let holds = match &last {
            None => proof.is_empty(),
            Some(last) => verify_consistency(old, said.size, &last.root, &said.root, &proof).is_ok(),
        };
        if !holds {
            return no("422 Unprocessable Entity");
        }
        seen.insert(said.origin.clone(), said);
        let line = |key: &SealKey, name: &str, text: &str| cosignature(name, key, 1_700_000_000, text).unwrap();
        let answer = match mood {
            Mood::Stranger => line(&SealKey::from_seed(&[99; 32]), "stranger.example/w", parsed.text()),
            Mood::Forges => line(&self.key, &self.name, "another text\n"),
            // Others' lines beside its own are passed over.
            _ => {
                line(&SealKey::from_seed(&[98; 32]), "other.example/w", parsed.text())
                    + &line(&self.key, &self.name, parsed.text())
            }
        };
        ("200 OK", "text/plain", answer)
    }
}

struct Watched {
    world: World,
    witnesses: Vec<(Arc<Witness>, String)>,
}

/// A world with three witnesses, two of whom are enough, and an address where nobody listens.
fn watched() -> Watched {
    let world = World::new();
    world.order("o-1");
    let vkey = world.run(&["keys", "show", "--json"]).ended(0).json();
    let of = vkey["keys"].as_array().unwrap().iter().find(|row| row["tenant"] == "pazar").unwrap()["vkey"]
        .as_str()
        .unwrap()
        .to_owned();
    let log = NoteKey::parse(&of).unwrap();
    let witnesses: Vec<_> = (1..=3).map(|n| Witness::start(n, &log)).collect();
    let mut policy = format!("log {of}\n");
    for (n, (witness, address)) in witnesses.iter().enumerate() {
        policy.push_str(&format!("witness w{n} {} {address}\n", witness.vkey()));
    }
    policy.push_str("group most 2 w0 w1 w2\nquorum most\n");
    std::fs::write(world.path("policy"), policy).unwrap();
    Watched { world, witnesses }
}

impl Watched {
    fn mood(&self, n: usize, mood: Mood) {
        *self.witnesses[n].0.mood.lock().unwrap() = mood;
    }
}

#[test]
fn a_checkpoint_is_cosigned_again_and_again_as_the_log_grows() {
    let watched = watched();
    let world = &watched.world;
    let ask = || world.run(&["witness", "--policy", &world.path("policy"), "--json"]).ended(0).json();
    let first = ask();
    assert_eq!((&first["cosigned"], &first["quorum"]), (&json!(["w0", "w1", "w2"]), &json!(true)));
    let note = first["checkpoint"].as_str().unwrap();
    assert_eq!(Note::parse(note.as_bytes()).unwrap().signatures().len(), 4);
    // The same again, then grown: each wants the proof from what it saw last.
    assert_eq!(ask()["cosigned"], json!(["w0", "w1", "w2"]));
    for n in 2..7 {
        world.order(&format!("o-{n}"));
        assert_eq!(ask()["cosigned"], json!(["w0", "w1", "w2"]), "at {n}");
    }
    let seen = watched.witnesses[0].0.seen.lock().unwrap().values().next().unwrap().size;
    assert!(seen >= 6);
}

#[test]
fn a_bundle_is_believed_by_the_quorum_and_says_who_cosigned() {
    let watched = watched();
    let world = &watched.world;
    let policy = world.path("policy");
    watched.mood(1, Mood::HangsUp);
    let bundle = world.path("o.hosb");
    world.run(&["export", "--instance", "order/o-1", "--policy", &policy, "-o", &bundle]).ended(0);
    let verdict = world.run(&["verify", &bundle, "--trust", &policy, "--json"]).ended(0).json();
    assert_eq!((&verdict["verdict"], &verdict["witnesses"]), (&json!("anchored"), &json!(["w0", "w2"])), "{verdict}");
    assert!(verdict["complete"].is_object());
    // Without witnesses the same policy believes nothing.
    let alone = world.path("alone.hosb");
    world.run(&["export", "--instance", "order/o-1", "-o", &alone]).ended(0);
    let verdict = world.run(&["verify", &alone, "--trust", &policy, "--json"]).ended(3).json();
    assert_eq!(verdict["code"], "trust.quorum");
    // And where the quorum is not met, nothing is written.
    watched.mood(0, Mood::Stranger);
    let none = world.path("none.hosb");
    let failed = world.run(&["export", "--instance", "order/o-1", "--policy", &policy, "-o", &none, "--json"]).ended(4);
    assert_eq!(failed.code(), "hos.signer_failed");
    assert!(!std::path::Path::new(&none).exists());
}

#[test]
fn a_witness_that_fails_its_duty_does_not_count() {
    let watched = watched();
    let world = &watched.world;
    let policy = world.path("policy");
    let table = [
        (Mood::Stranger, "no signature of this key"),
        (Mood::Forges, "does not hold"),
        (Mood::Flees, ""),
        (Mood::Endless, "its answer"),
        (Mood::Redirects, "302"),
        (Mood::HangsUp, ""),
    ];
    for (n, (mood, what)) in table.into_iter().enumerate() {
        watched.mood(0, mood);
        world.order(&format!("m-{n}"));
        let done = world.run(&["witness", "--policy", &policy, "--json"]).ended(0).json();
        assert_eq!(done["cosigned"], json!(["w1", "w2"]), "{done}");
        assert!(done["missing"][0]["why"].as_str().unwrap().contains(what), "{done}");
    }
    // Two who fail are too many.
    watched.mood(1, Mood::Forges);
    let out = world.path("cosigned.note");
    let done = world.run(&["witness", "--policy", &policy, "-o", &out, "--json"]).ended(4).json();
    assert_eq!((&done["cosigned"], &done["quorum"]), (&json!(["w2"]), &json!(false)));
    assert!(!std::path::Path::new(&out).exists());
    world.run(&["witness", "--policy", &world.path("none")]).ended(4);
    std::fs::write(world.path("bad"), "quorum none\n").unwrap();
    world.run(&["witness", "--policy", &world.path("bad")]).ended(2);
}

#[test]
fn a_store_that_was_put_back_gets_no_cosignature() {
    let watched = watched();
    let world = &watched.world;
    world.run(&["backup", &world.path("old.db")]).ended(0);
    for n in 2..5 {
        world.order(&format!("o-{n}"));
    }
    let policy = world.path("policy");
    world.run(&["witness", "--policy", &policy]).ended(0);
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", world.path("hos.db")));
    }
    std::fs::copy(world.path("old.db"), world.path("hos.db")).unwrap();
    let shorter = world.run(&["witness", "--policy", &policy, "--json"]).ended(4).json();
    assert_eq!(shorter["cosigned"], json!([]), "{shorter}");
    for n in 0..6 {
        world.order(&format!("other-{n}"));
    }
    let longer = world.run(&["witness", "--policy", &policy, "--json"]).ended(4).json();
    assert_eq!(longer["cosigned"], json!([]), "{longer}");
    assert!(longer["missing"][0]["why"].as_str().unwrap().contains("422"), "{longer}");
}
