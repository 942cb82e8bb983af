//! The shop of the demonstration: its folder, its database, and this program run on both.

use super::{Act, log};
use crate::place::Place;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::server::Connector;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Pazar's law, as it stands among the examples.
const LAW: &[(&str, &str)] = &[
    ("law.toml", include_str!("../../../examples/pazar/law/law.toml")),
    ("schema.cedarschema", include_str!("../../../examples/pazar/law/schema.cedarschema")),
    ("messages.en.toml", include_str!("../../../examples/pazar/law/messages.en.toml")),
    ("messages.tr.toml", include_str!("../../../examples/pazar/law/messages.tr.toml")),
    ("contracts/consent.toml", include_str!("../../../examples/pazar/law/contracts/consent.toml")),
    ("contracts/order.toml", include_str!("../../../examples/pazar/law/contracts/order.toml")),
    ("contracts/payment.toml", include_str!("../../../examples/pazar/law/contracts/payment.toml")),
    ("contracts/reservation.toml", include_str!("../../../examples/pazar/law/contracts/reservation.toml")),
    ("contracts/return.toml", include_str!("../../../examples/pazar/law/contracts/return.toml")),
    ("policies/accounts.cedar", include_str!("../../../examples/pazar/law/policies/accounts.cedar")),
    ("policies/consents.cedar", include_str!("../../../examples/pazar/law/policies/consents.cedar")),
    ("policies/directory.cedar", include_str!("../../../examples/pazar/law/policies/directory.cedar")),
    ("policies/operation.cedar", include_str!("../../../examples/pazar/law/policies/operation.cedar")),
    ("policies/orders.cedar", include_str!("../../../examples/pazar/law/policies/orders.cedar")),
    ("policies/payments.cedar", include_str!("../../../examples/pazar/law/policies/payments.cedar")),
    ("policies/reservations.cedar", include_str!("../../../examples/pazar/law/policies/reservations.cedar")),
    ("policies/returns.cedar", include_str!("../../../examples/pazar/law/policies/returns.cedar")),
    ("policies/shops.cedar", include_str!("../../../examples/pazar/law/policies/shops.cedar")),
];

/// Which row of the shop is what in the law.
const WORLD: &str = r#"tenant = "pazar-tr"

[[rows]]
contract = "order"
table = "orders"
id = "id"
state = "status"
"#;

/// The shop's own tables; the file is the shop's, and the law lies in it.
const TABLES: &str =
    "CREATE TABLE orders (id TEXT PRIMARY KEY, buyer TEXT NOT NULL, total INTEGER NOT NULL, status TEXT NOT NULL)";

/// How long the file's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Shop {
    place: PathBuf,
    program: PathBuf,
    database: Arc<dyn Connector>,
    store: String,
    /// In which this program speaks, whatever the environment says.
    language: String,
}

impl Shop {
    pub(super) fn open(place: &Path, language: &str) -> Result<Self, Failure> {
        let broken = |path: &Path, e: std::io::Error| Failure::new(Code::StoreUnavailable, format!("{}: {e}", path.display()));
        let write = |name: &str, text: &str| {
            let path = place.join(name);
            let parent = path.parent().unwrap_or(place);
            std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text)).map_err(|e| broken(&path, e))
        };
        write("log.csv", &log::csv())?;
        write("world.toml", WORLD)?;
        for (name, text) in LAW {
            write(&format!("law/{name}"), text)?;
            write(&format!("stricter/{name}"), text)?;
        }
        let place = place.canonicalize().map_err(|e| broken(place, e))?;
        let file = place.join("shop.db");
        // The shop's program made its database long ago.
        std::fs::write(&file, []).map_err(|e| broken(&file, e))?;
        let store = format!("sqlite://{}", file.display());
        let database = Place::Database(store.clone()).connector("the shop's database")?;
        let program = std::env::current_exe().map_err(|e| broken(Path::new("hos"), e))?;
        let shop = Self { place, program, database, store, language: language.to_owned() };
        shop.sql(TABLES)?;
        Ok(shop)
    }

    /// Does one thing: the line that a person would type, and what was said.
    pub(super) fn run(&self, act: &Act) -> Result<(String, String), Failure> {
        match act {
            Act::Hos(words, due) => {
                let line = format!("hos {}", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "));
                let (exit, said) = self.hos(words)?;
                if exit != *due {
                    return Err(other(&line, &said));
                }
                Ok((line, said))
            }
            Act::Sql(sql, due) => {
                let line = format!("sqlite3 shop.db \"{sql}\"");
                let said = match self.sql(sql) {
                    Ok(()) => String::new(),
                    Err(failure) => failure.message,
                };
                if said.is_empty() != *due {
                    return Err(other(&line, &said));
                }
                Ok((line, said))
            }
            Act::Guard(words) => {
                let line = format!("hos {} | sqlite3 shop.db", words.join(" "));
                let (exit, script) = self.hos(words)?;
                if exit != 0 {
                    return Err(other(&line, &script));
                }
                self.sql(&script)?;
                Ok((line, String::new()))
            }
            Act::Flip(name) => {
                let path = self.place.join(name);
                let mut bytes = std::fs::read(&path).map_err(|e| other(name, &e.to_string()))?;
                let middle = bytes.len() / 2;
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 1;
                }
                std::fs::write(&path, bytes).map_err(|e| other(name, &e.to_string()))?;
                Ok((format!("# byte {middle} of {name} is turned over by one bit"), String::new()))
            }
            Act::Line(file, word) => {
                let text = std::fs::read_to_string(self.place.join(file)).map_err(|e| other(file, &e.to_string()))?;
                let lines = (1..).zip(text.lines()).filter(|(_, line)| line.contains(word));
                let said: Vec<String> = lines.map(|(number, line)| format!("{number}:{line}")).collect();
                if said.is_empty() {
                    return Err(other(file, "the word is not there"));
                }
                Ok((format!("grep -n {} {file}", quoted(word)), said.join("\n")))
            }
            Act::Change { file, from, to } => {
                let path = self.place.join(file);
                let text = std::fs::read_to_string(&path).map_err(|e| other(file, &e.to_string()))?;
                if !text.contains(from) {
                    return Err(other(file, "the word is not there"));
                }
                std::fs::write(&path, text.replacen(from, to, 1)).map_err(|e| other(file, &e.to_string()))?;
                Ok((format!("sed -i 's/{from}/{to}/' {file}"), String::new()))
            }
        }
    }

    fn hos(&self, words: &[&str]) -> Result<(i32, String), Failure> {
        let mut command = Command::new(&self.program);
        for name in ["HOS_STORE_FILE", "HOS_SIGNER_SOCKET", "HOS_SIGNER_COMMAND", "HOS_MARK"] {
            command.env_remove(name);
        }
        let environment = [("HOS_STORE", self.store.as_str()), ("HOS_TENANT", "pazar-tr"), ("HOS_AS", "Account::root")];
        let language = ["--lang", self.language.as_str()];
        let output = command.envs(environment).args(words).args(language).current_dir(&self.place).stdin(Stdio::null()).output();
        let output = output.map_err(|e| other(&words.join(" "), &e.to_string()))?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned()))
    }

    fn sql(&self, sql: &str) -> Result<(), Failure> {
        let mut connection = self.database.connect(PATIENCE).map_err(|e| Failure::from(e.into_store("the shop's database")))?;
        connection.say(sql).map_err(|e| Failure::new(Code::StoreUnavailable, e.message))
    }
}

fn quoted(word: &str) -> String {
    if word.contains([' ', '\'']) { format!("'{word}'") } else { word.to_owned() }
}

fn other(line: &str, said: &str) -> Failure {
    Failure::new(Code::Internal, format!("`{line}` came to something else than it should: {said}"))
}
