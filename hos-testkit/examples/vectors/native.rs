//! C: a program that takes calls from its standard input and says what came of them.
//!
//! Each message is a line of words and lengths, then as many bytes: `call OPERATION_LENGTH JSON_LENGTH`, `can` with six lengths
//! of words and one of what stands beside, `open LENGTH`, `try LENGTH`, `close`. The answer is `STATUS LENGTH` and as many bytes.

use crate::Language;
use crate::scenario::Came;
use serde_json::{Map, Value as Json, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Native {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    own_words: bool,
}

impl Native {
    pub(crate) fn start(program: &Path, own_words: bool) -> Self {
        // A planted panic tells its place on standard error, which nobody wants to read here.
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from, own_words }
    }

    fn ask(&mut self, verb: &str, texts: &[&[u8]]) -> Came {
        let lengths: Vec<String> = texts.iter().map(|t| t.len().to_string()).collect();
        let to = self.to.as_mut().expect("the program runs");
        writeln!(to, "{verb} {}", lengths.join(" ")).unwrap();
        texts.iter().for_each(|text| to.write_all(text).unwrap());
        to.flush().unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        let (status, length) = (words.next().expect("a status"), words.next().expect("a length").parse().unwrap());
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes).unwrap();
        Came { status: status.to_lowercase(), json: serde_json::from_slice(&bytes).unwrap_or(json!({})) }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        drop(self.to.take());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "the C program: {ended}");
    }
}

impl Language for Native {
    fn open(&mut self, options: &Json) -> Came {
        self.ask("open", &[options.to_string().as_bytes()])
    }

    fn try_open(&mut self, options: &Json) -> Came {
        self.ask("try", &[options.to_string().as_bytes()])
    }

    fn close(&mut self) -> Came {
        self.ask("close", &[])
    }

    fn call(&mut self, operation: &str, json: &[u8]) -> Came {
        self.ask("call", &[operation.as_bytes(), json])
    }

    /// `can` has words of its own in C; everything else is `hos_call`.
    fn words(&mut self, operation: &str, call: &Json) -> Came {
        if operation != "can" || !self.own_words {
            return self.call(operation, call.to_string().as_bytes());
        }
        let word = |json: &Json| json.as_str().unwrap_or_default().as_bytes().to_vec();
        let apart = ["tenant", "principal", "action", "resource"];
        let beside: Map<String, Json> = call
            .as_object()
            .unwrap()
            .iter()
            .filter(|(k, _)| !apart.contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let beside = if beside.is_empty() { Vec::new() } else { json!(beside).to_string().into_bytes() };
        let (principal, resource) = (&call["principal"], &call["resource"]);
        let words = [
            word(&call["tenant"]),
            word(&principal["type"]),
            word(&principal["id"]),
            word(&call["action"]),
            word(&resource["type"]),
            word(&resource["id"]),
            beside,
        ];
        self.ask("can", &words.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}
