//! A small law for the judge's tests: a library whose readers borrow. The second edition renames a state and drops an event.

use hos_core::law::{Law, render};
use std::sync::{Arc, LazyLock};

const MANIFEST: &str = "name = \"lib\"\nnamespace = \"Lib\"\npersons = [\"Reader\"]\n";

const SCHEMA: &str = r#"namespace Lib {
  entity Reader in [Role] = { active: Bool, limit: Long };
  entity Role in [Role];
  entity Shelf = { closes: datetime };
  entity Clock, Gate;
  entity Loan, Card;
  action "clockwork";
  action "loan.ask", "loan.lend", "loan.extend", "loan.stir", "loan.bring", "loan.reopen", "loan.look", "loan.adopt"
    appliesTo { principal: [Reader], resource: [Loan] };
  action "loan.overdue", "loan.void" in ["clockwork"] appliesTo { principal: [Clock], resource: [Loan] };
  action "loan.nag" appliesTo { principal: [Clock], resource: [Loan] };
  action "card.issue", "card.close" appliesTo { principal: [Reader], resource: [Card] };
  action "directory.account" appliesTo { principal: [Reader], resource: [Reader] };
  action "directory.entity" appliesTo { principal: [Reader], resource: [Role, Shelf] };
  action "directory.member", "directory.unmember"
    appliesTo { principal: [Reader], resource: [Role], context: { subject: Reader } };
  action "directory.grant", "directory.revoke"
    appliesTo { principal: [Reader], resource: [Role, Shelf, Reader], context: { template: String, subject?: Reader } };
  action "directory.remove" appliesTo { principal: [Reader], resource: [Reader, Role, Shelf] };
  action "law.activate", "tenant.open", "record.note" appliesTo { principal: [Reader], resource: [Gate] };
}
"#;

const POLICIES: &str = r#"
@id("readers-borrow")
permit (principal, action in [Lib::Action::"loan.ask", Lib::Action::"loan.lend", Lib::Action::"loan.extend",
  Lib::Action::"loan.stir", Lib::Action::"loan.bring", Lib::Action::"loan.look"], resource) when { principal == resource.reader };
@id("staff")
permit (principal in Lib::Role::"staff", action, resource);
@id("door")
permit (principal in Lib::Role::"door", action == Lib::Action::"directory.member", resource);
@id("clock")
permit (principal == Lib::Clock::"clock", action in Lib::Action::"clockwork", resource);
@id("inactive")
forbid (principal is Lib::Reader, action, resource) unless { principal.active };
@id("no-odd-looks")
forbid (principal, action == Lib::Action::"loan.look", resource) when { resource.pages + 9223372036854775807 < 0 };
@id("keeper")
permit (principal == ?principal, action == Lib::Action::"loan.reopen", resource) when { resource.pages < 1000 };
@id("shelver")
permit (principal == ?principal, action == Lib::Action::"directory.entity", resource == ?resource);
"#;

const LOAN: &str = r#"contract = "loan"
version = 1
entity = "Lib::Loan"
data_subject = "facts.reader"
states = ["asked", "lent", "back", "lost", "void"]
terminal = ["back", "lost", "void"]
[facts]
reader = "Reader"
shelf = "Shelf"
pages = "Long"
[begin.ask]
to = "asked"
action = "loan.ask"
args = { why = "String?" }
require = [{ code = "thin", when = "resource.pages >= 1" }, { code = "odd", when = "resource.pages != 13 && resource.pages >= 0" }]
effects = [{ kind = "mail.asked", body = ["id", "facts.reader"] }]
[begin.take]
to = "lent"
action = "loan.lend"
[event.lend]
from = ["asked"]
to = "lent"
action = "loan.lend"
on_same = "noop"
require = [{ code = "too_many", when = "resource.pages <= resource.reader.limit" }]
effects = [{ kind = "mail.lent", body = ["id", "state", "principal"] }]
[event.extend]
from = ["lent"]
to = "lent"
self_loop = true
args = { shelf = "Shelf", pages = "Long?" }
sets = { shelf = "args.shelf", pages = "args.pages" }
action = "loan.extend"
[event.stir]
from = ["lent"]
to = "lent"
rearm = true
action = "loan.stir"
[event.bring]
from = ["lent"]
args = { whole = "Bool" }
action = "loan.bring"
branch = [{ to = "back", when = "context.whole" }, { to = "lost" }]
[event.void]
from = ["asked"]
to = "void"
action = "loan.void"
[event.overdue]
from = ["lent"]
to = "lost"
action = "loan.overdue"
effects = [{ kind = "mail.overdue", body = ["id"] }]
[event.nag]
from = ["lent"]
to = "lent"
self_loop = true
action = "loan.nag"
[override.reopen]
from = ["void", "lost"]
to = "asked"
action = "loan.reopen"
[[deadline]]
state = "asked"
after = "PT1H"
event = "void"
[[deadline]]
state = "lent"
after = "PT2H"
event = "nag"
[[deadline]]
state = "lent"
at = "resource.shelf.closes"
event = "overdue"
"#;

const CARD: &str = r#"contract = "card"
entity = "Lib::Card"
version = 1
personal_ids = true
states = ["open", "shut"]
terminal = ["shut"]
[facts]
name = "String"
[begin.issue]
to = "open"
action = "card.issue"
[event.close]
from = ["open"]
to = "shut"
action = "card.close"
[[deadline]]
state = "open"
after = "P30D"
event = "close"
"#;

fn load(loan: &str, policies: &str, manifest: &str) -> Arc<Law> {
    load_over(SCHEMA, loan, policies, manifest)
}

fn load_over(schema: &str, loan: &str, policies: &str, manifest: &str) -> Arc<Law> {
    let files = [
        ("law.toml", manifest),
        ("schema.cedarschema", schema),
        ("policies/all.cedar", policies),
        ("contracts/loan.toml", loan),
        ("contracts/card.toml", CARD),
    ];
    loaded(&files)
}

/// Loads a law swiftly: what is validated of it, [`whole`] validates.
fn loaded(files: &[(&str, &str)]) -> Arc<Law> {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let hash = Law::hash_of(&files).unwrap();
    Arc::new(Law::load_again(files, &hash).unwrap_or_else(|faults| panic!("{}", render(&faults, &[]))))
}

/// Loads it again as a law that nobody knows.
pub fn whole(law: &Law) -> Law {
    let files = law.files.iter().map(|file| (file.path.clone(), file.text.clone().into_bytes())).collect();
    Law::load(files).unwrap_or_else(|faults| panic!("{}", render(&faults, &law.files)))
}

/// The first edition.
pub fn first() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| load(LOAN, POLICIES, MANIFEST));
    LAW.clone()
}

/// The second: what is lent is out, nobody stirs a loan, and nobody borrows what is thicker than ten thousand pages.
/// The first law, with further policies.
pub fn first_with(policies: &str) -> Arc<Law> {
    load(LOAN, &format!("{POLICIES}{policies}"), MANIFEST)
}

pub fn second() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let loan = LOAN.replace("version = 1", "version = 2").replace("\"lent\"", "\"out\"");
        // Every expression has another number than in the first.
        let loan = loan.replace(", { code = \"odd\", when = \"resource.pages != 13 && resource.pages >= 0\" }", "");
        let (before, after) = loan.split_once("[event.stir]").unwrap();
        let (_, after) = after.split_once("[event.bring]").unwrap();
        let moved = "[migrate.\"1\"]\nasked = \"asked\"\nlent = \"out\"\n";
        let loan = format!("{before}[event.bring]{after}{moved}");
        load(
            &loan,
            &POLICIES.replace("principal.active }", "principal.active && (!(resource has pages) || resource.pages < 10000) }"),
            MANIFEST,
        )
    });
    LAW.clone()
}

/// The first edition, of which what is lost vanishes as soon as the clock looks.
pub fn hurried() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let vanish = "[event.vanish]\nfrom = [\"lost\"]\nto = \"void\"\naction = \"loan.void\"\n[override.reopen]";
        let deadline = "[[deadline]]\nstate = \"lost\"\nat = 'datetime(\"2020-01-01\")'\nevent = \"vanish\"\n";
        let loan = LOAN.replace("terminal = [\"back\", \"lost\", \"void\"]", "terminal = [\"back\", \"void\"]");
        load(&(loan.replace("[override.reopen]", vanish) + deadline), POLICIES, MANIFEST)
    });
    LAW.clone()
}

/// The first edition under a schema in which more may be said: readers have a tier and are in teams, a loan is asked for from somewhere.
pub fn wider() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let lend = "  action \"loan.lend\" appliesTo { principal: [Reader], resource: [Loan], context: { ip?: String } };\n";
        let schema = SCHEMA
            .replace(
                "Reader in [Role] = { active: Bool, limit: Long };",
                "Reader in [Role, Team] = { active: Bool, limit: Long, tier?: Long };",
            )
            .replace("entity Clock, Gate;", "entity Clock, Gate, Team;")
            .replace("\"loan.lend\", ", "")
            .replace("  action \"loan.nag\"", &format!("{lend}  action \"loan.nag\""));
        load_over(&schema, LOAN, POLICIES, MANIFEST)
    });
    LAW.clone()
}

/// The first edition under a schema in which a reader's limit is a text, which no guard reads any more.
pub fn retyped() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let guard = "require = [{ code = \"too_many\", when = \"resource.pages <= resource.reader.limit\" }]\n";
        load_over(&SCHEMA.replace("limit: Long", "limit: String"), &LOAN.replace(guard, ""), POLICIES, MANIFEST)
    });
    LAW.clone()
}

/// The first edition under a schema that itself declares the clock and the gates.
pub fn declared() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let declared = "entity Clock enum [\"clock\"];\n  entity Gate enum [\"law\", \"till.closed\"];";
        load_over(&SCHEMA.replace("entity Clock, Gate;", declared), LOAN, POLICIES, MANIFEST)
    });
    LAW.clone()
}

/// The first edition in which who lends says at which desk.
pub fn at_a_desk() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let lend = "action = \"loan.lend\"\non_same";
        load(&LOAN.replace(lend, &format!("args = {{ desk = \"String\" }}\n{lend}")), POLICIES, MANIFEST)
    });
    LAW.clone()
}

/// The first edition by Cedar's own rule: a forbid that cannot be evaluated is skipped.
pub fn lenient() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| load(LOAN, POLICIES, &format!("{MANIFEST}compat = \"cedar\"\n")));
    LAW.clone()
}

/// The first edition for whom nobody is a person.
pub fn impersonal() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| load(LOAN, POLICIES, MANIFEST.split("persons").next().unwrap()));
    LAW.clone()
}

/// The first edition with a policy more.
pub fn with_policy(policy: &str) -> Arc<Law> {
    load(LOAN, &format!("{POLICIES}{policy}\n"), MANIFEST)
}

/// The first edition with another guard of lending.
pub fn guarded(when: &str) -> Arc<Law> {
    let own = "\"resource.pages <= resource.reader.limit\"";
    assert!(LOAN.contains(own));
    load(&LOAN.replace(own, &format!("'{when}'")), POLICIES, MANIFEST)
}

/// The first edition whose template `keeper` has another scope.
pub fn keeping(scope: &str) -> Arc<Law> {
    let own = "(principal == ?principal, action == Lib::Action::\"loan.reopen\", resource)";
    assert!(POLICIES.contains(own));
    load(LOAN, &POLICIES.replace(own, scope), MANIFEST)
}

/// The first edition without this policy.
pub fn without_staff() -> Arc<Law> {
    load(LOAN, &POLICIES.replace("@id(\"staff\")\npermit (principal in Lib::Role::\"staff\", action, resource);", ""), MANIFEST)
}

/// The first edition in which nobody writes notes.
pub fn without_notes() -> Arc<Law> {
    load_over(&SCHEMA.replace(", \"record.note\"", ""), LOAN, POLICIES, MANIFEST)
}

/// A law without the action by which entities are taken out.
pub fn unremoving() -> Arc<Law> {
    let remove = "  action \"directory.remove\" appliesTo { principal: [Reader], resource: [Reader, Role, Shelf] };\n";
    let schema = SCHEMA.replace(remove, "");
    assert_ne!(schema, SCHEMA);
    let policies = "@id(\"staff\") permit (principal in Lib::Role::\"staff\", action, resource);";
    loaded(&[("law.toml", MANIFEST), ("schema.cedarschema", &schema), ("policies/all.cedar", policies)])
}

/// A law without loans.
pub fn bare() -> Arc<Law> {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| {
        let policies = "@id(\"staff\") permit (principal in Lib::Role::\"staff\", action, resource);";
        let files = [("law.toml", MANIFEST), ("schema.cedarschema", SCHEMA), ("policies/all.cedar", policies)];
        loaded(&files)
    });
    LAW.clone()
}
