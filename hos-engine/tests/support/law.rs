//! The smallest law that uses every table: an order with a deadline, a message, a person, a grant.

use hos_core::law::Law;

const FILES: [(&str, &str); 4] = [
    ("law.toml", "name=\"t\"\nnamespace=\"N\"\npersons=[\"A\"]\n"),
    (
        "schema.cedarschema",
        "namespace N{entity A in [R]={};entity R;entity Clock;entity Gate;entity O;
action \"o.new\",\"o.go\" appliesTo{principal:[A],resource:[O]};
action \"o.late\" appliesTo{principal:[Clock],resource:[O]};
action \"directory.account\",\"directory.entity\",\"directory.remove\" appliesTo{principal:[A],resource:[A,R]};
action \"directory.member\",\"directory.unmember\" appliesTo{principal:[A],resource:[R],context:{subject:A}};
action \"directory.grant\",\"directory.revoke\" appliesTo{principal:[A],resource:[R],context:{template:String,subject:A}};
action \"law.activate\",\"tenant.open\",\"outbox.poll\",\"record.note\" appliesTo{principal:[A],resource:[Gate]};
action \"evidence.erase\",\"evidence.hold\",\"evidence.release\" appliesTo{principal:[A],resource:[A]};}
",
    ),
    (
        "policies/p.cedar",
        "@id(\"all\")permit(principal in N::R::\"op\",action,resource);\n@id(\"clock\")permit(principal is N::Clock,action,resource);\n@id(\"t\")permit(principal==?principal,action==N::Action::\"directory.member\",resource==?resource);\n",
    ),
    (
        "contracts/o.toml",
        "contract=\"o\"\nversion=1\nentity=\"N::O\"\ndata_subject=\"facts.who\"\nstates=[\"a\",\"b\",\"c\"]\nterminal=[\"b\",\"c\"]\n[facts]\nwho=\"A\"\n[begin.new]\nto=\"a\"\n[event.go]\nfrom=[\"a\"]\nto=\"b\"\neffects=[{kind=\"m\",body=[\"id\"]}]\n[event.late]\nfrom=[\"a\"]\nto=\"c\"\n[[deadline]]\nstate=\"a\"\nafter=\"PT1H\"\nevent=\"late\"\n",
    ),
];

pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    FILES.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

pub(crate) fn law() -> Law {
    Law::load(files()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The same law, each file changed as `other` says.
pub(crate) fn law_but(other: impl Fn(&str, String) -> String) -> Law {
    let changed = |(path, text): &(&str, &str)| ((*path).to_owned(), other(path, (*text).to_owned()).into_bytes());
    Law::load(FILES.iter().map(changed).collect()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}
