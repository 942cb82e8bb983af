//! A law with everything that a record can be made of: guards, branches, facts that change, an override, deadlines of both
//! sorts, a template, a principal that comes with the call, and three versions of itself.

use hos_core::law::Law;
use std::sync::Arc;

const MANIFEST: &str = "name=\"rich\"\nnamespace=\"N\"\npersons=[\"A\"]\n";
const SCHEMA: &str =
    "namespace N{entity A in [R]={};entity R;entity P;entity Clock;entity Gate;entity S={closes:datetime,frozen:Bool};entity O;
action \"o.new\",\"o.go\",\"o.more\",\"o.back\",\"o.adopt\",\"o.close\" appliesTo{principal:[A],resource:[O]};
action \"o.paid\" appliesTo{principal:[A,P],resource:[O]};
action \"o.late\" appliesTo{principal:[Clock],resource:[O]};
action \"directory.account\",\"directory.entity\",\"directory.remove\" appliesTo{principal:[A],resource:[A,R,S]};
action \"directory.member\",\"directory.unmember\" appliesTo{principal:[A],resource:[R],context:{subject:A}};
action \"directory.grant\",\"directory.revoke\" appliesTo{principal:[A],resource:[R],context:{template:String,subject:A}};
action \"law.activate\",\"tenant.open\",\"outbox.poll\",\"record.note\" appliesTo{principal:[A],resource:[Gate]};
action \"evidence.erase\" appliesTo{principal:[A],resource:[A]};}
";
const POLICIES: &str = "@id(\"all\")permit(principal in N::R::\"op\",action,resource);
@id(\"own\")permit(principal,action==N::Action::\"o.go\",resource)when{principal==resource.who};
@id(\"provider\")permit(principal is N::P,action==N::Action::\"o.paid\",resource);
@id(\"clock\")permit(principal is N::Clock,action,resource);
@id(\"frozen\")forbid(principal is N::Clock,action,resource)when{resource.shop.frozen};
@id(\"t\")permit(principal==?principal,action==N::Action::\"directory.member\",resource==?resource);
";
const CONTRACT: &str = "contract=\"o\"
version=1
entity=\"N::O\"
data_subject=\"facts.who\"
states=[\"a\",\"b\",\"c\",\"d\"]
terminal=[\"c\",\"d\"]
[facts]
who=\"A\"
shop=\"S\"
cap=\"Long\"
[begin.new]
to=\"a\"
effects=[{kind=\"mail.new\",body=[\"id\",\"facts.who\"]}]
[event.more]
from=[\"a\"]
to=\"a\"
self_loop=true
args={cap=\"Long\"}
sets={cap=\"args.cap\"}
[event.go]
from=[\"a\"]
args={amount=\"Long\"}
require=[{code=\"much\",when=\"context.amount <= resource.cap\"}]
branch=[{to=\"d\",when=\"context.amount == 0\"},{to=\"b\",effects=[{kind=\"mail.go\",body=[\"id\",\"args.amount\",\"state\"]}]}]
[event.paid]
from=[\"b\"]
to=\"d\"
on_same=\"noop\"
args={ref=\"String\"}
[event.late]
from=[\"a\",\"b\"]
to=\"c\"
[override.back]
from=[\"c\"]
to=\"a\"
[[deadline]]
state=\"a\"
at=\"resource.shop.closes\"
event=\"late\"
[[deadline]]
state=\"b\"
after=\"PT1H\"
event=\"late\"
";

fn load(policies: String, contract: String) -> Arc<Law> {
    let files = [
        ("law.toml", MANIFEST.to_owned()),
        ("schema.cedarschema", SCHEMA.to_owned()),
        ("policies/p.cedar", policies),
        ("contracts/o.toml", contract),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes())).to_vec();
    Arc::new(Law::load(files).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

/// The law as it is.
pub(crate) fn law() -> Arc<Law> {
    load(POLICIES.to_owned(), CONTRACT.to_owned())
}

/// Another policy more, the same contract: instances keep the older law's guards.
pub(crate) fn stricter() -> Arc<Law> {
    load(
        POLICIES.to_owned() + "@id(\"small\")forbid(principal,action==N::Action::\"o.go\",resource)when{context.amount>50};\n",
        CONTRACT.to_owned(),
    )
}

/// A template more, by which nobody was ever granted anything.
pub(crate) fn templated() -> Arc<Law> {
    let fresh = "@id(\"fresh\")permit(principal==?principal,action==N::Action::\"o.go\",resource);\n";
    load(POLICIES.to_owned() + fresh, CONTRACT.to_owned())
}

/// The template `t` is of moves, too.
pub(crate) fn granting_more() -> Arc<Law> {
    let own = "action==N::Action::\"directory.member\"";
    let more = "action in[N::Action::\"directory.member\",N::Action::\"o.go\"]";
    load(POLICIES.replace(own, more), CONTRACT.to_owned())
}

/// The next version of the contract: `a` is called `open`, and its guard another.
pub(crate) fn newer() -> Arc<Law> {
    let contract = CONTRACT.replace("version=1", "version=2").replace("\"a\"", "\"open\"").replace(
        "require=[{code=\"much\",when=\"context.amount <= resource.cap\"}]",
        "require=[{code=\"odd\",when=\"context.amount != 7\"},{code=\"much\",when=\"context.amount <= resource.cap\"}]",
    ) + "[migrate.\"1\"]\na=\"open\"\nb=\"b\"\n";
    load(POLICIES.to_owned(), contract)
}

/// A law without the contract's event `more`.
pub(crate) fn without_more() -> Arc<Law> {
    let (before, rest) = CONTRACT.split_once("[event.more]").unwrap();
    let (_, after) = rest.split_once("[event.go]").unwrap();
    load(POLICIES.to_owned(), format!("{before}[event.go]{after}"))
}
