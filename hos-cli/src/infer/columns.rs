//! Which column is which: as the options say, or guessed from usual names.

use hos_core::id::Shown;

/// A column's use, with the names that it usually has, likelier ones first. `{}` is the contract's name.
struct Role {
    option: &'static str,
    names: &'static [&'static str],
}

const INSTANCE: Role = Role {
    option: "--instance",
    names: &[
        "{}_id",
        "{}",
        "{}_number",
        "{}_no",
        "instance",
        "instance_id",
        "case",
        "case_id",
        "case:concept:name",
        "aggregate_id",
        "entity_id",
        "object_id",
        "subject_id",
        "record_id",
        "key",
    ],
};
const FROM: Role = Role {
    option: "--from",
    names: &[
        "from",
        "from_state",
        "from_status",
        "state_from",
        "status_from",
        "old_state",
        "old_status",
        "previous_state",
        "previous_status",
        "prev_state",
        "prev_status",
        "source_state",
        "old",
        "old_value",
        "before",
    ],
};
const TO: Role = Role {
    option: "--to",
    names: &[
        "to",
        "to_state",
        "to_status",
        "state_to",
        "status_to",
        "new_state",
        "new_status",
        "next_state",
        "next_status",
        "target_state",
        "new",
        "new_value",
        "after",
        "state",
        "status",
        "{}_state",
        "{}_status",
    ],
};
const EVENT: Role = Role {
    option: "--event",
    names: &[
        "event",
        "event_name",
        "event_type",
        "transition",
        "transition_name",
        "action",
        "activity",
        "trigger",
        "concept:name",
    ],
};
const TIME: Role = Role {
    option: "--at",
    names: &[
        "time",
        "timestamp",
        "at",
        "occurred_at",
        "happened_at",
        "changed_at",
        "transitioned_at",
        "event_time",
        "created_at",
        "created",
        "datetime",
        "date",
        "time:timestamp",
        "updated_at",
    ],
};

/// What the options say; `-` for a column that is not there.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) instance: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    pub(crate) to: Option<&'a str>,
    pub(crate) event: Option<&'a str>,
    pub(crate) time: Option<&'a str>,
}

/// Columns by place, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) instance: usize,
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    pub(crate) event: Option<usize>,
    pub(crate) time: Option<usize>,
}

/// Finds the columns; says what is missing and by which option it is named.
pub(crate) fn columns(headers: &[String], said: &Said<'_>, contract: &str) -> Result<Columns, String> {
    let plains: Vec<String> = headers.iter().map(|h| plain(h)).collect();
    let roles = [(INSTANCE, said.instance), (FROM, said.from), (TO, said.to), (EVENT, said.event), (TIME, said.time)];
    let mut found: [Option<usize>; 5] = [None; 5];
    // What is said comes first, so that a guess never takes a column that is meant for something else.
    for ((role, said), place) in roles.iter().zip(&mut found) {
        if let Some(name) = said.filter(|name| *name != "-") {
            *place = Some(named(headers, name, role.option)?);
        }
    }
    let given: Vec<usize> = found.iter().flatten().copied().collect();
    if let Some(twice) = given.iter().enumerate().find(|(i, at)| given.iter().take(*i).any(|other| other == *at)) {
        let name = headers.get(*twice.1).map(String::as_str).unwrap_or_default();
        return Err(format!("the column `{}` is named for two uses", Shown(name)));
    }
    let mut taken = given;
    for ((role, said), place) in roles.iter().zip(&mut found) {
        if said.is_none() {
            *place = guess(&plains, role, contract, &taken);
            taken.extend(*place);
        }
    }
    let [instance, from, to, event, time] = found;
    // One column alone that ends in `_id` is whose history it is; a bare `id` is the row's own.
    let alone = || {
        let mut ids = plains.iter().enumerate().filter(|(i, name)| name.ends_with("_id") && !taken.contains(i));
        ids.next().filter(|_| ids.next().is_none()).map(|(i, _)| i)
    };
    let instance = instance.or_else(|| alone().filter(|_| said.instance.is_none()));
    let missing = |role: &Role, what: &str| {
        let names: Vec<String> = headers.iter().take(40).map(|h| format!("`{}`", Shown(h))).collect();
        format!("which column holds {what} is not clear: name it with {} (there are {})", role.option, names.join(", "))
    };
    Ok(Columns {
        instance: instance.ok_or_else(|| missing(&INSTANCE, "the instance's id"))?,
        from,
        to: to.ok_or_else(|| missing(&TO, "the state that a row leads to"))?,
        event,
        time,
    })
}

fn named(headers: &[String], name: &str, option: &str) -> Result<usize, String> {
    let mut found = headers.iter().enumerate().filter(|(_, h)| *h == name);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => Err(format!("{option}: the column `{}` is there twice: rename one", Shown(name))),
        (None, _) => {
            let hint = hos_core::fault::nearest(name, headers.iter().map(String::as_str));
            let hint = hint.map(|h| format!("; did you mean `{}`?", Shown(h))).unwrap_or_default();
            Err(format!("{option}: there is no column `{}`{hint}", Shown(name)))
        }
    }
}

fn guess(plains: &[String], role: &Role, contract: &str, taken: &[usize]) -> Option<usize> {
    let contract = plain(contract);
    role.names.iter().find_map(|name| {
        let name = name.replace("{}", &contract);
        let mut found = plains.iter().enumerate().filter(|(i, p)| **p == name && !taken.contains(i));
        // A name that is there twice names nothing.
        found.next().filter(|_| found.next().is_none()).map(|(i, _)| i)
    })
}

/// A column's name as the tables have it: `orderId`, `Order ID` and `ORDER-ID` are `order_id`.
fn plain(header: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in header.trim().chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push('_');
        }
        before = c;
        out.push(if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: &str, said: &Said<'_>) -> Result<Columns, String> {
        let headers: Vec<String> = header.split(',').map(str::to_owned).collect();
        columns(&headers, said, "order")
    }

    fn guessed(header: &str) -> [Option<usize>; 5] {
        let c = found(header, &Said::default()).unwrap();
        [Some(c.instance), c.from, Some(c.to), c.event, c.time]
    }

    #[test]
    fn usual_names_are_guessed() {
        for header in [
            "order_id,from_status,to_status,transition,created_at",
            "orderId,oldStatus,newStatus,action,timestamp",
            "Order ID,Old Status,New Status,Event,Time",
            "ORDER-ID,FROM,TO,TRIGGER,DATE",
            "instance,before,after,activity,at",
            "customer_id,from,to,event,time",
        ] {
            assert_eq!(guessed(header), [Some(0), Some(1), Some(2), Some(3), Some(4)], "{header}");
        }
        assert_eq!(guessed("id,order_id,status"), [Some(1), None, Some(2), None, None]);
        assert_eq!(guessed("case:concept:name,concept:name,state"), [Some(0), None, Some(2), Some(1), None]);
    }

    #[test]
    fn what_is_said_is_taken_and_what_is_not_clear_is_asked_for() {
        let said = Said { instance: Some("who"), to: Some("from"), from: Some("-"), ..Said::default() };
        let c = found("who,from,to,event", &said).unwrap();
        assert_eq!((c.instance, c.from, c.to, c.event), (0, None, 1, Some(3)), "`to` is taken for nothing then");
        for (header, said, why) in [
            ("a,b", Said::default(), "name it with --instance (there are `a`, `b`)"),
            ("x_id,y_id,to", Said::default(), "--instance"),
            ("order_id,b", Said::default(), "name it with --to"),
            ("order_id,to,to", Said::default(), "name it with --to"),
            ("order_id,to,to", Said { to: Some("to"), ..Said::default() }, "there twice"),
            ("order_id,stat", Said { to: Some("state"), ..Said::default() }, "no column `state`; did you mean `stat`?"),
            ("order_id,s", Said { to: Some("s"), from: Some("s"), ..Said::default() }, "for two uses"),
            ("order_id,s", Said { instance: Some("-"), ..Said::default() }, "--instance"),
        ] {
            let told = found(header, &said).unwrap_err();
            assert!(told.contains(why), "{header}: {told}");
        }
    }
}
