//! The law of the example marketplace: it loads, is clean, and its contracts and policies say what a merchant expects.

use hos_core::contract::definition::Event;
use hos_core::contract::step::{Truth, outcome};
use hos_core::contract::{check, parse};
use hos_core::fault::{Severity, SourceFile};
use hos_core::id::Uid;
use hos_core::law::{Law, render};
use hos_core::policy::{Bound, Directory, Effect, Entity, Link, Request};
use hos_core::value::{Ext, Record, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

fn law_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law")
}

/// Path inside the law and bytes of every file of the example.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["", "policies", "contracts"] {
        for entry in std::fs::read_dir(law_dir().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap();
                let inside = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                found.push((inside, std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

static LAW: LazyLock<Law> = LazyLock::new(|| {
    let sources = files().into_iter().map(|(path, bytes)| SourceFile { path, text: String::from_utf8(bytes).unwrap() });
    let sources: Vec<_> = sources.collect();
    Law::load(files()).unwrap_or_else(|faults| panic!("{}", render(&faults, &sources)))
});

#[test]
fn each_contract_is_clean() {
    let contracts: Vec<_> = files().into_iter().filter(|(path, _)| path.starts_with("contracts/")).collect();
    assert_eq!(contracts.len(), 5);
    for (path, bytes) in contracts {
        let file = SourceFile { path, text: String::from_utf8(bytes).unwrap() };
        let faults = match parse::parse(&file, "Pazar") {
            Ok((contract, notices)) => notices.into_iter().chain(check::check(&contract, &file)).collect(),
            Err(faults) => faults,
        };
        assert!(faults.is_empty(), "{}", render(&faults, &[file]));
    }
}

#[test]
fn what_follows_what() {
    let drawn = |name: &str| {
        let (path, bytes) = files().into_iter().find(|(path, _)| *path == format!("contracts/{name}.toml")).unwrap();
        let file = SourceFile { path, text: String::from_utf8(bytes).unwrap() };
        let (contract, _) = parse::parse(&file, "Pazar").unwrap();
        let births = contract.begins.values().map(|b| (vec!["-"], b));
        let moves = contract.arrows().map(|(e, _)| (e.from.iter().map(|s| s.as_str()).collect(), e));
        let line = |(from, event): (Vec<&str>, &Event)| {
            let to: BTreeSet<&str> = event.targets().map(|s| s.as_str()).collect();
            format!("{} {} {}", from.join("|"), event.name, to.into_iter().collect::<Vec<_>>().join("|"))
        };
        births.chain(moves).map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        drawn("order"),
        [
            "- draft cart",
            "- place new",
            "cart|new cancel cancelled",
            "cart change cart",
            "shipped close fulfilled",
            "shipped deliver fulfilled",
            "cart|new expire expired",
            "new pay paid",
            "paid refund refunding",
            "refunding refund_failed paid",
            "refunding refunded refunded",
            "paid ship refunding|shipped",
            "cart submit new",
            "shipped|fulfilled force_refund refunding",
            "cancelled|expired reopen new",
        ]
    );
    assert_eq!(
        drawn("reservation"),
        [
            "- request requested",
            "requested|waitlisted|confirmed cancel cancelled",
            "confirmed check_in checked_in",
            "checked_in check_out checked_out",
            "requested|waitlisted confirm confirmed",
            "confirmed modify confirmed",
            "confirmed no_show no_show",
            "confirmed reassign confirmed",
            "requested waitlist waitlisted",
        ]
    );
    assert_eq!(
        drawn("payment"),
        [
            "- request pending",
            "pending cancel cancelled",
            "pending capture captured",
            "pending confirm captured",
            "pending expire expired",
            "pending fail failed",
        ]
    );
    assert_eq!(drawn("consent"), ["- give given", "given expire expired", "given renew given", "given withdraw withdrawn"]);
    assert_eq!(
        drawn("return"),
        ["- accept accepted", "accepted receive received", "accepted reject rejected", "received settle settled"]
    );
}

#[test]
fn the_law_loads_and_check_finds_nothing() {
    let found = LAW.check();
    // One forbid looks into the shop that an order names, and an entity may be missing; one asks for a membership, which is the
    // directory's to know. That is worth a note and no more.
    let noted: Vec<_> = found.iter().map(|f| (f.severity, f.code, f.file.as_str())).collect();
    let wanted =
        ["law.policy.forbid_hangs", "law.policy.forbid_may_err"].map(|code| (Severity::Note, code, "policies/orders.cedar"));
    assert_eq!(noted, wanted, "{}", render(&found, &LAW.files));
    assert_eq!(LAW.contracts.len(), 5);
    for action in hos_core::law::reserved::ALL {
        assert!(LAW.policy.has_action(action) && LAW.policy.may_permit(action), "{action}");
    }
}

#[test]
fn both_languages_answer_every_code_differently() {
    let codes: Vec<String> = LAW.messages["en"].keys().cloned().collect();
    assert_eq!(codes, LAW.messages["tr"].keys().cloned().collect::<Vec<_>>());
    assert!(codes.iter().any(|c| c == "return.exceeds_balance"));
    for code in codes {
        assert_ne!(LAW.message("en", &code), LAW.message("tr", &code), "{code}");
    }
}

#[test]
fn a_damaged_law_is_refused_or_loads_and_never_panics() {
    let sound = files();
    let mut refused = 0;
    for (i, (path, bytes)) in sound.iter().enumerate() {
        for part in 1..4 {
            let at = bytes.len() * part / 4;
            let mut cut = sound.clone();
            cut[i].1.truncate(at);
            let mut odd = sound.clone();
            odd[i].1[at] = b"\0\"'{[(}"[(i + part) % 7];
            for damaged in [cut, odd] {
                if let Err(faults) = Law::load(damaged) {
                    assert!(faults.iter().any(|f| f.severity == Severity::Error), "{path} at {at}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > sound.len() * 3, "only {refused} were refused");
}

fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Pazar::{kind}"), id).unwrap()
}

fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

fn entity(uid: Uid, attrs: Record, parents: &[Uid]) -> Entity {
    Entity { uid, attrs, parents: parents.iter().cloned().collect::<BTreeSet<_>>(), record: None }
}

fn directory() -> Directory {
    let role = |id: &str| uid("Role", id);
    let shop = |id: &str| uid("Shop", id);
    let members: &[(&str, &[Uid])] = &[
        ("ayse", &[]),
        ("mehmet", &[]),
        ("seller", &[role("seller"), shop("lale")]),
        ("rival", &[role("seller"), shop("nar")]),
        ("manager", &[role("manager"), role("seller"), shop("lale")]),
        ("support", &[role("support")]),
        ("support_manager", &[role("support"), role("manager")]),
        ("cashier", &[role("cashier")]),
        ("desk", &[role("desk")]),
        ("returns", &[role("returns")]),
        ("privacy", &[role("privacy")]),
        ("registrar", &[role("registrar")]),
        ("worker", &[role("worker")]),
        ("operator", &[role("operator")]),
        ("granted", &[]),
        ("viewer", &[]),
    ];
    let mut entities: Vec<Entity> =
        members.iter().map(|(id, parents)| entity(uid("Account", id), record(&[("active", true.into())]), parents)).collect();
    entities.push(entity(uid("Account", "fired"), record(&[("active", false.into())]), &[role("operator")]));
    for id in ["seller", "manager", "support", "cashier", "desk", "returns", "privacy", "registrar", "worker", "operator"] {
        entities.push(entity(role(id), Record::new(), &[]));
    }
    for (id, active) in [("lale", true), ("nar", true), ("shut", false)] {
        entities.push(entity(shop(id), record(&[("active", active.into())]), &[]));
    }
    entities.extend(["iyi", "other"].map(|id| entity(uid("Provider", id), Record::new(), &[])));
    let link = |id: &str, template: &str, who: &str| Link {
        id: id.into(),
        template: template.into(),
        principal: Some(uid("Account", who)),
        resource: Some(shop("lale")),
        record: None,
    };
    Directory::new(entities, vec![link("g1", "shop-manager", "granted"), link("g2", "shop-viewer", "viewer")]).unwrap()
}

/// The world's rows: what a call would bring.
fn given(name: &str) -> Entity {
    let account = |id: &str| Value::from(uid("Account", id));
    let shop = |id: &str| Value::from(uid("Shop", id));
    let state = |s: &str| Value::from(s);
    let order = |id: &str, buyer: &str, at: &str| {
        let attrs = record(&[("buyer", account(buyer)), ("shop", shop(at)), ("total", 4200.into()), ("state", state("new"))]);
        entity(uid("Order", id), attrs, &[])
    };
    match name {
        "order" => order(name, "ayse", "lale"),
        "order_of_seller" => order(name, "seller", "lale"),
        "order_of_support" => order(name, "support", "lale"),
        "order_in_shut" => order(name, "ayse", "shut"),
        "payment" | "payment_of_cashier" => {
            let payer = if name == "payment" { "ayse" } else { "cashier" };
            let facts = [
                ("payer", account(payer)),
                ("provider", uid("Provider", "iyi").into()),
                ("order", "o-1".into()),
                ("amount", 4200.into()),
                ("state", state("pending")),
            ];
            entity(uid("Payment", name), record(&facts), &[])
        }
        "booking" => {
            let facts = [
                ("booker", account("ayse")),
                ("guests", 2.into()),
                ("nights", 3.into()),
                ("room", "A".into()),
                ("rate", 9900.into()),
                ("deposit", "No Deposit".into()),
                ("state", state("confirmed")),
            ];
            entity(uid("Reservation", name), record(&facts), &[])
        }
        "consent" => {
            let ends = Value::Ext(Ext::Datetime, "2027-01-01T00:00:00Z".into());
            let facts = [
                ("person", account("ayse")),
                ("purpose", "mail".into()),
                ("wording", "v1".into()),
                ("ends", ends),
                ("state", state("given")),
            ];
            entity(uid("Consent", name), record(&facts), &[])
        }
        "return" | "return_of_desk" => {
            let customer = if name == "return" { "ayse" } else { "returns" };
            let facts = [
                ("customer", account(customer)),
                ("sku", "85123A".into()),
                ("quantity", 1.into()),
                ("price", "2.55".into()),
                ("state", state("accepted")),
            ];
            entity(uid("Return", name), record(&facts), &[])
        }
        "product" | "hidden_product" => {
            let attrs = record(&[("shop", shop("lale")), ("listed", (name == "product").into())]);
            entity(uid("Product", name), attrs, &[uid("Shop", "lale")])
        }
        "clock" => entity(uid("Clock", name), Record::new(), &[]),
        "law" => entity(uid("Gate", name), Record::new(), &[]),
        other => panic!("no row {other}"),
    }
}

/// What a caller gives with an action. `extra` is `amount=..`, `subject=..` or `template/subject`.
fn context(action: &str, extra: &str) -> Record {
    let amount = || ("amount", Value::from(extra.parse::<i64>().unwrap_or(4200)));
    let text = |name: &'static str| (name, Value::from("x"));
    let subject = |id: &str| ("subject", Value::from(uid("Account", id)));
    match action {
        "order.change" => record(&[("total", 1.into())]),
        "order.pay" | "payment.capture" => record(&[amount(), text("psp_ref")]),
        "order.ship" => record(&[("all_in_stock", true.into()), text("tracking")]),
        "order.refund" => record(&[amount(), text("reason")]),
        "order.refunded" => record(&[text("psp_ref")]),
        "order.refund_failed" | "payment.fail" | "return.reject" => record(&[text("reason")]),
        "payment.confirm" => record(&[amount(), text("statement")]),
        "reservation.reassign" => record(&[text("room")]),
        "return.accept" => record(&[("balance", 5.into())]),
        "directory.member" | "directory.unmember" => record(&[subject(extra)]),
        "directory.grant" | "directory.revoke" => {
            let (template, id) = extra.split_once('/').unwrap();
            record(&[("template", template.into()), subject(id)])
        }
        _ => Record::new(),
    }
}

/// `+ids` allowed by, `-ids` forbidden by, `none` nothing permits it, or the code of a refusal before judging.
fn asked(bound: &Bound, who: &str, action: &str, on: &str, extra: &str) -> String {
    let named = |text: &str| {
        let (kind, id) = text.split_once(' ')?;
        Some(uid(kind, id))
    };
    let mut rows = Vec::new();
    let mut place = |text: &str, account: bool| match named(text) {
        Some(uid) => uid,
        None if account => uid("Account", text),
        None => {
            let row = given(text);
            rows.push(row.clone());
            row.uid
        }
    };
    let principal = if who == "clock" { place(who, false) } else { place(who, true) };
    let resource = place(on, false);
    let context = context(action, extra);
    let action = Uid::new("Pazar::Action", action).unwrap();
    let request = Request { principal: &principal, action: &action, resource: &resource, given: &rows, context: &context };
    match bound.decide(&request) {
        Err(blocker) => blocker.code.into_owned(),
        Ok(ruling) => {
            assert_eq!(ruling.errors, [], "{who} {action} {on}");
            let sign = match ruling.effect {
                Effect::Allow => "+",
                Effect::Forbidden => "-",
                Effect::ForbidError => "?",
                Effect::NotPermitted => return "none".into(),
            };
            format!("{sign}{}", ruling.determining.join(" "))
        }
    }
}

#[test]
fn who_may_do_what() {
    #[rustfmt::skip]
    let table = [
        // Orders.
        ("ayse",            "order.place",          "order",            "",       "+buyer-orders"),
        ("mehmet",          "order.place",          "order",            "",       "none"),
        ("ayse",            "order.place",          "order_in_shut",    "",       "-no-order-in-closed-shop"),
        ("seller",          "order.place",          "order_of_seller",  "",       "-no-order-in-own-shop"),
        ("ayse",            "order.pay",            "order",            "",       "+buyer-orders"),
        ("Provider iyi",    "order.pay",            "order",            "",       "+provider-reports-on-orders"),
        ("ayse",            "order.cancel",         "order",            "",       "+buyer-orders"),
        ("mehmet",          "order.cancel",         "order",            "",       "none"),
        ("support",         "order.cancel",         "order",            "",       "+support-helps"),
        ("seller",          "order.view",           "order",            "",       "+seller-sees-own-orders"),
        ("rival",           "order.view",           "order",            "",       "none"),
        ("seller",          "order.ship",           "order",            "",       "+seller-ships-own-orders"),
        ("rival",           "order.ship",           "order",            "",       "none"),
        ("ayse",            "order.ship",           "order",            "",       "none"),
        ("seller",          "order.refund",         "order",            "100000", "+seller-ships-own-orders"),
        ("seller",          "order.refund",         "order",            "100001", "-large-refund-needs-manager"),
        ("manager",         "order.refund",         "order",            "100001", "+seller-ships-own-orders"),
        ("support_manager", "order.refund",         "order",            "100001", "+support-helps"),
        ("support",         "order.refund",         "order_of_support", "1",      "-nobody-refunds-own-order"),
        ("support",         "order.reopen",         "order",            "",       "+support-overrides"),
        ("seller",          "order.reopen",         "order",            "",       "none"),
        ("support",         "order.force_refund",   "order_of_support", "",       "-nobody-refunds-own-order"),
        ("clock",           "order.expire",         "order",            "",       "+clock-expires"),
        ("clock",           "order.close",          "order",            "",       "+clock-expires"),
        ("clock",           "order.cancel",         "order",            "",       "hos.principal_type_unknown"),
        ("ayse",            "order.expire",         "order",            "",       "hos.principal_type_unknown"),
        ("fired",           "order.view",           "order",            "",       "-inactive-account"),
        ("stranger",        "order.view",           "order",            "",       "hos.principal_unknown"),
        ("ayse",            "order.fly",            "order",            "",       "hos.action_unknown"),
        // Payments.
        ("ayse",            "payment.request",      "payment",          "",       "+payer-pays"),
        ("mehmet",          "payment.request",      "payment",          "",       "none"),
        ("Provider iyi",    "payment.capture",      "payment",          "",       "+provider-reports-own-payments"),
        ("Provider other",  "payment.capture",      "payment",          "",       "none"),
        ("Provider iyi",    "payment.confirm",      "payment",          "",       "hos.principal_type_unknown"),
        ("ayse",            "payment.capture",      "payment",          "",       "hos.principal_type_unknown"),
        ("cashier",         "payment.confirm",      "payment",          "",       "+cashier-confirms-transfers"),
        ("cashier",         "payment.confirm",      "payment_of_cashier", "",     "-nobody-confirms-own-payment"),
        ("clock",           "payment.expire",       "payment",          "",       "+clock-expires"),
        // Reservations.
        ("ayse",            "reservation.request",  "booking",          "",       "+booker-books"),
        ("mehmet",          "reservation.request",  "booking",          "",       "none"),
        ("desk",            "reservation.confirm",  "booking",          "",       "+desk-runs-reservations"),
        ("ayse",            "reservation.confirm",  "booking",          "",       "none"),
        ("desk",            "reservation.reassign", "booking",          "",       "+desk-runs-reservations"),
        ("desk",            "reservation.cancel",   "booking",          "",       "+desk-acts-for-bookers"),
        ("ayse",            "reservation.cancel",   "booking",          "",       "+booker-books"),
        // Consents and returns.
        ("ayse",            "consent.give",         "consent",          "",       "+person-decides-on-consent"),
        ("operator",        "consent.give",         "consent",          "",       "none"),
        ("privacy",         "consent.view",         "consent",          "",       "+privacy-officer-sees-consents"),
        ("ayse",            "return.accept",        "return",           "",       "+customer-returns"),
        ("returns",         "return.accept",        "return",           "",       "+returns-desk-handles"),
        ("ayse",            "return.settle",        "return",           "",       "-nobody-settles-own-return"),
        ("mehmet",          "return.settle",        "return",           "",       "none"),
        ("returns",         "return.settle",        "return",           "",       "+returns-desk-handles"),
        ("returns",         "return.settle",        "return_of_desk",   "",       "-nobody-settles-own-return"),
        // Shelves and grants.
        ("mehmet",          "product.view",         "product",          "",       "+anyone-browses"),
        ("mehmet",          "product.view",         "hidden_product",   "",       "none"),
        ("seller",          "product.view",         "hidden_product",   "",       "+staff-see-own-shelves"),
        ("seller",          "product.edit",         "product",          "",       "+seller-keeps-own-shelves"),
        ("rival",           "product.edit",         "product",          "",       "none"),
        ("granted",         "product.edit",         "product",          "",       "+g1"),
        ("granted",         "shop.edit",            "Shop lale",        "",       "+g1"),
        ("granted",         "shop.edit",            "Shop nar",         "",       "none"),
        ("viewer",          "shop.report",          "Shop lale",        "",       "+g2"),
        ("viewer",          "product.view",         "hidden_product",   "",       "+g2"),
        ("viewer",          "shop.edit",            "Shop lale",        "",       "none"),
        ("manager",         "shop.edit",            "Shop lale",        "",       "+manager-runs-own-shop"),
        ("seller",          "shop.edit",            "Shop lale",        "",       "none"),
        // The directory.
        ("operator",        "directory.member",     "Role manager",     "ayse",     "+operator-keeps-directory"),
        ("operator",        "directory.member",     "Role manager",     "operator", "-nobody-promotes-themselves"),
        ("manager",         "directory.member",     "Role seller",      "ayse",     "+manager-hires-staff"),
        ("manager",         "directory.member",     "Role manager",     "ayse",     "-only-operators-make-managers"),
        ("manager",         "directory.member",     "Shop lale",        "ayse",     "+manager-hires-for-own-shop"),
        ("manager",         "directory.member",     "Shop nar",         "ayse",     "none"),
        ("manager",         "directory.member",     "Role seller",      "manager",  "-nobody-promotes-themselves"),
        ("seller",          "directory.member",     "Role seller",      "ayse",     "none"),
        ("manager",         "directory.grant",      "Shop lale",        "shop-manager/ayse", "+manager-grants-on-own-shop"),
        ("manager",         "directory.grant",      "Shop nar",         "shop-manager/ayse", "none"),
        ("manager",         "directory.grant",      "Shop lale",        "other/ayse",        "none"),
        ("manager",         "directory.grant",      "Shop lale",        "shop-manager/manager", "-nobody-promotes-themselves"),
        ("registrar",       "directory.account",    "Account ayse",     "",       "+registrar-opens-accounts"),
        ("registrar",       "directory.account",    "Account registrar", "",      "-nobody-edits-own-account"),
        ("ayse",            "directory.account",    "Account mehmet",   "",       "none"),
        ("fired",           "directory.account",    "Account ayse",     "",       "-inactive-account"),
        // Operation.
        ("operator",        "order.adopt",          "order",            "",       "+operator-adopts-rows"),
        ("ayse",            "order.adopt",          "order",            "",       "none"),
        ("operator",        "law.activate",         "law",              "",       "+operator-operates"),
        ("ayse",            "law.activate",         "law",              "",       "none"),
        ("worker",          "outbox.poll",          "law",              "",       "+worker-polls-outbox"),
        ("worker",          "record.note",          "law",              "",       "+worker-notes"),
        ("worker",          "law.activate",         "law",              "",       "none"),
        ("privacy",         "evidence.erase",       "Account ayse",     "",       "+privacy-officer-erases"),
        ("privacy",         "evidence.erase",       "Account privacy",  "",       "-nobody-erases-themselves"),
        ("privacy",         "evidence.hold",        "Account ayse",     "",       "+privacy-officer-holds"),
        ("privacy",         "evidence.release",     "Account ayse",     "",       "+privacy-officer-holds"),
        ("privacy",         "evidence.release",     "Account privacy",  "",       "-nobody-holds-or-releases-themselves"),
        ("operator",        "evidence.hold",        "Account ayse",     "",       "+operator-operates"),
        ("worker",          "evidence.release",     "Account ayse",     "",       "none"),
    ];
    let bound = Bound::new(LAW.policy.clone(), Arc::new(directory())).unwrap();
    assert_eq!(bound.orphans(), [] as [String; 0]);
    let wrong: Vec<_> = table
        .iter()
        .map(|(who, action, on, extra, wanted)| ((who, action, on, extra), asked(&bound, who, action, on, extra), wanted))
        .filter(|(_, got, wanted)| got != *wanted)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // The table is only as good as what it reaches: every policy and template decides some row.
    let decided: BTreeSet<&str> = table.iter().flat_map(|row| row.4.trim_start_matches(['+', '-']).split(' ')).collect();
    let sources = LAW.files.iter().filter(|f| f.path.starts_with("policies/"));
    let ids: Vec<&str> = sources.flat_map(|f| f.text.split("@id(\"").skip(1)).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), 46);
    let untold: Vec<_> = ids.into_iter().filter(|id| !decided.contains(id)).collect();
    assert_eq!(untold, ["shop-manager", "shop-viewer"], "templates decide by their links g1 and g2");
}

/// A return or a request for a room, refused or not: the codes of all blockers.
fn born(contract: &str, begin: &str, who: &str, facts: &[(&str, Value)], args: &[(&str, Value)]) -> Vec<String> {
    let held = LAW.contract(contract).unwrap();
    let event = &held.contract.begins[begin];
    let mut facts = facts.to_vec();
    facts.push(("state", event.branches[0].to.as_str().into()));
    let row = entity(Uid::new(&held.contract.entity, "1").unwrap(), record(&facts), &[]);
    let bound = Bound::new(LAW.policy.clone(), Arc::new(directory())).unwrap();
    let (principal, action, context) = (uid("Account", who), LAW.action(&event.action).unwrap(), record(args));
    let given = [row];
    let request = Request { principal: &principal, action: &action, resource: &given[0].uid, given: &given, context: &context };
    let prepared = bound.prepare(&request).unwrap();
    let mut judge = |index| match prepared.condition(held.expression(index)) {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(why) => Truth::Error(why),
    };
    match outcome(event, &mut judge) {
        Ok(_) => Vec::new(),
        Err(blockers) => blockers.into_iter().map(|b| b.code.into_owned()).collect(),
    }
}

#[test]
fn a_refused_return_has_exactly_one_code() {
    #[rustfmt::skip]
    let table: [(i64, i64, &[&str]); 7] = [
        (5,  1, &[]),
        (5,  5, &[]),
        (5,  6, &["return.exceeds_balance"]),
        (1,  2, &["return.exceeds_balance"]),
        (0,  1, &["return.nothing_bought"]),
        (-3, 1, &["return.nothing_bought"]),
        (5,  0, &["return.no_quantity"]),
    ];
    for (balance, quantity, wanted) in table {
        let customer = Value::from(uid("Account", "ayse"));
        let facts = [("customer", customer), ("sku", "85123A".into()), ("quantity", quantity.into()), ("price", "0.001".into())];
        assert_eq!(born("return", "accept", "ayse", &facts, &[("balance", balance.into())]), wanted, "{balance} {quantity}");
    }
}

#[test]
fn a_room_needs_guests_and_nights_and_both_are_told() {
    #[rustfmt::skip]
    let table: [(i64, i64, &[&str]); 4] = [
        (1, 1, &[]),
        (0, 1, &["reservation.no_guests"]),
        (2, 0, &["reservation.no_nights"]),
        (0, 0, &["reservation.no_guests", "reservation.no_nights"]),
    ];
    for (guests, nights, wanted) in table {
        let facts = [
            ("booker", Value::from(uid("Account", "ayse"))),
            ("guests", guests.into()),
            ("nights", nights.into()),
            ("room", "A".into()),
            ("rate", (-638).into()),
            ("deposit", "No Deposit".into()),
        ];
        assert_eq!(born("reservation", "request", "ayse", &facts, &[]), wanted, "{guests} {nights}");
    }
}
