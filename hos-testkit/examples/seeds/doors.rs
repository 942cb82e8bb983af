//! Seeds of what people, programs and hosts say.

use super::Seeds;
use hos_testkit::targets::CALLS_OF_A_HOST;

const CSV: &str = "order_id,from,to,event,created_at\n1,,new,place,2026-03-01T12:00:00Z\n1,new,paid,pay,2026-03-01T12:10:00Z\n\
                   2,,new,place,2026-03-01 13:00:00\n2,new,cancelled,cancel,1772371200\n1,paid,shipped,ship,2026-03-02\n";

const POLICIES: &str = r#"@id("a") permit (principal in Group::"g", action == Action::"view", resource is Doc in Folder::"f")
when { principal has n && principal.n + 1 > 2 || resource.tags.containsAny(["x", "y"]) } unless { context.ip.isInRange(ip("10.0.0.0/8")) };
forbid (principal == ?principal, action in [Action::"a", Action::"b"], resource in ?resource) when { if true then 1 == 2 else "s" like "a*b" };
"#;

const PROMISES: &str = r#"=== contracts/ticket.toml
contract = "ticket"
version  = 1
entity   = "Kit::Ticket"
data_subject = "facts.buyer"
states   = ["new", "paid"]
terminal = ["paid"]
[facts]
buyer = "Account"
[begin.place]
to     = "new"
action = "ticket.place"
[event.pay]
from   = ["new"]
to     = "paid"
action = "ticket.pay"
[[promise]]
code   = "paid_once"
never  = "new"
after  = "paid"
"#;

pub(super) fn all(seeds: &mut Seeds) {
    let mut put = |target: &'static str, name: &'static str, text: &str| seeds.push((target, name, text.as_bytes().to_vec()));
    put(
        "json",
        "values",
        r#"{"a":true,"e":{"__entity":{"type":"Kit::Account","id":"a\"\u0000"}},"n":-1,"r":{"x":""},"s":[1,2],"t":{"__extn":{"fn":"decimal","arg":"1.5"}}}"#,
    );
    put(
        "json",
        "entity",
        r#"{"uid":{"type":"A","id":"x"},"attrs":{"n":9223372036854775807},"parents":[{"__entity":{"type":"G","id":"y"}}]}"#,
    );
    put("json", "surrogates", r#""\ud83d\ude00\u00e9é""#);
    for (name, url) in [
        ("postgres", "postgres://hos:a-long-secret@127.0.0.1:5432/pazar?sslmode=disable"),
        ("mysql", "mysql://hos:a-long-secret@db/pazar?ssl-mode=VERIFY_CA"),
        ("hosts", "postgres://hos:a-long@secret/of mine@a:1,[::1]:2/pazar"),
        ("sqlite", "sqlite:///srv/a@b:c.db"),
    ] {
        put("url", name, url);
    }
    let hash = "05".repeat(32);
    put("signer", "key", "hos signer 1\nkey\n");
    put(
        "signer",
        "sign",
        &format!(
            "hos signer 1\nsign 3\n{hash}\n\nhos/01010101010101010101010101010101/t/0\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n"
        ),
    );
    put("signer", "answers", &format!("stale 3\n\0signature {}\n", "0a".repeat(64)));
    put("signer", "refused", "refused signer.state no\n");
    for (name, ty, word) in [
        ("long", "Long", "4200"),
        ("set", "Set<Account>", "[{\"__entity\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"}}]"),
        ("entity", "Account", "Kit::Account::\"ay\\\"se\""),
        ("instance", "", "ticket/1"),
        ("datetime", "datetime", "2026-03-01T12:00:00Z"),
    ] {
        put("words", name, &format!("{ty}\n{word}"));
    }
    put("history", "comma", CSV);
    put("history", "semicolon", &CSV.replace(',', ";").replace('\n', "\r\n"));
    put("policies", "two", POLICIES);
    put("law", "promises", PROMISES);
    put("law", "unknown", "=== modes.toml\ndefault = \"shadow\"\n=== messages.tr.toml\n\"hos.forbidden\" = \"Olmaz.\"\n");
    hosts(seeds);
    // Opened, asked, closed, asked again; opened to join, and asked for a step.
    seeds.push((
        "abi",
        "a-life",
        vec![0, 6, 9, 0, 1, 2, 4, 4, 0, 0, 9, 9, 2, 9, 4, 0, 0, 9, 1, 2, 3, 4, 0, 2, 4, 2, 0, 0, 9, 9, 2],
    ));
    seeds.push(("abi", "joined", vec![0, 2, 9, 2, 1, 2, 7, 4, 0, 0, 9, 9, 0, 2, 7, 4, 0, 2, 9, 9, 1, 3, 11, 2, 11, 0]));
}

fn hosts(seeds: &mut Seeds) {
    let all: Vec<String> = CALLS_OF_A_HOST.iter().map(|(operation, json)| format!("{operation}\n{json}")).collect();
    seeds.push(("serve", "a-day", all.join("\n\n").into_bytes()));
    seeds.push(("serve", "late", format!("{}\n\nwait\n660000\n\n{}", all[0], all[2]).into_bytes()));
    let reads = "available\n{\"tenant\":\"north\",\"principal\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"},\"contract\":\"ticket\",\"id\":\"1\"}\n\n\
                 history\n{\"tenant\":\"north\",\"contract\":\"ticket\",\"id\":\"1\",\"limit\":10}\n\nmessage\n{\"tenant\":\"north\",\"code\":\"hos.forbidden\",\"language\":\"tr\"}";
    seeds.push(("serve", "reads", format!("{}\n\n{reads}", all[0]).into_bytes()));
    for (number, name) in
        ["begin", "join", "pay", "ship", "can", "request", "again", "leave", "record", "refused"].into_iter().enumerate()
    {
        let bends: &[u8] = if number % 2 == 0 { &[] } else { &[1, 0, 0, 2, 12, 3, 0, 1, 0, 1, 7, 2] };
        seeds.push(("rows", name, [&[number as u8, (number % 4) as u8], bends].concat()));
    }
    for (first, name) in [(0u8, "sqlite"), (3, "postgres"), (5, "mysql")] {
        let rows = "[[[\"AQEBAQEBAQEBAQEBAQEBAQ==\"]],[[\"AAAAAAAAAAA=\"]],[[null,1,\"aGV4\"]]]";
        seeds.push((
            "step",
            name,
            [&[first][..], format!("{}\n\n{rows}\n\n([[\"aGV4\",\"W10=\"]]\n\n-", all[0]).as_bytes()].concat(),
        ));
    }
}
