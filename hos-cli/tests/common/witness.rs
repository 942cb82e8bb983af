//! A witness written from C2SP tlog-witness and tlog-cosignature.

use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteKey, WitnessKey, cosignature, hash_from_base64};
use hos_core::proof::key::SealKey;
use hos_core::proof::tree::verify_consistency;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a witness does instead of its duty.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mood {
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

pub(crate) struct Witness {
    name: String,
    key: SealKey,
    /// The logs that it knows.
    logs: Vec<NoteKey>,
    pub(crate) mood: Mutex<Mood>,
    /// The newest checkpoint of each origin.
    pub(crate) seen: Mutex<HashMap<String, Checkpoint>>,
    /// The origins that it was asked for, in order.
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Witness {
    /// Starts one that knows some logs; gives its address.
    pub(crate) fn start(n: u8, logs: &[NoteKey]) -> (Arc<Self>, String) {
        let name = format!("witness.example/w{n}");
        let witness = Self {
            name,
            key: SealKey::from_seed(&[n; 32]),
            logs: logs.to_vec(),
            mood: Mutex::new(Mood::Honest),
            seen: Mutex::default(),
            asked: Mutex::default(),
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

    pub(crate) fn vkey(&self) -> String {
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
        self.asked.lock().unwrap().push(said.origin.clone());
        let Some(log) = self.logs.iter().find(|log| log.name() == said.origin) else { return no("404 Not Found") };
        if parsed.verify(log).is_err() {
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
