//! A law's policies and schema in words, name by name: what two laws are held against each other by.

use super::cedar::parse;
use super::law::PolicyLaw;
use super::shape::{Shape, Ty};
use crate::fault::SourceFile;
use std::collections::BTreeMap;

/// What is said of one thing: field and text.
pub type Fields = BTreeMap<String, String>;

/// The policies of these files by `@id`: effect, scope, conditions, as Cedar writes them.
pub fn policies<'f>(files: impl IntoIterator<Item = &'f SourceFile>) -> BTreeMap<String, Fields> {
    let (mut ids, mut faults) = (BTreeMap::new(), Vec::new());
    let mut found = BTreeMap::new();
    for file in files {
        for parsed in parse::file(file, &mut ids, &mut faults).policies {
            let said = parse::said(&parsed.template);
            let fields = said.into_iter().map(|(field, text)| (field.to_owned(), text)).collect();
            found.insert(AsRef::<str>::as_ref(parsed.template.id()).to_owned(), fields);
        }
    }
    found
}

fn list<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join(", ")
}

fn type_text(ty: &Ty) -> String {
    match ty {
        Ty::Record(shape) => {
            let fields = shape
                .fields
                .iter()
                .map(|(name, field)| format!("{name}{}: {}", if field.required { "" } else { "?" }, type_text(&field.ty)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Ty::Set(inner) => format!("Set<{}>", type_text(inner)),
        plain => plain.to_string(),
    }
}

fn shape_fields(shape: &Shape, what: &str, fields: &mut Fields) {
    for (name, field) in &shape.fields {
        let optional = if field.required { "" } else { "?" };
        fields.insert(format!("{what} {name}"), format!("{}{optional}", type_text(&field.ty)));
    }
}

impl PolicyLaw {
    /// Entity types by name: attributes, what they may be members of, and the ids of an enumerated one.
    pub fn entity_types(&self) -> BTreeMap<String, Fields> {
        let of = |(name, info): (&String, &super::shape::TypeInfo)| {
            let mut fields = Fields::from([("in".to_owned(), list(&info.within))]);
            shape_fields(&info.shape, "attribute", &mut fields);
            if let Some(choices) = &info.choices {
                fields.insert("ids".to_owned(), list(choices));
            }
            (name.clone(), fields)
        };
        self.tables.types.iter().map(of).collect()
    }

    /// Actions by identity: to whom and what they apply, their groups, their context.
    pub fn action_words(&self) -> BTreeMap<String, Fields> {
        let of = |(uid, info): (&crate::id::Uid, &super::shape::ActionInfo)| {
            let mut groups: Vec<String> = info.groups.iter().map(|key| key.uid().to_string()).collect();
            groups.sort_unstable();
            let mut fields = Fields::from([
                ("principals".to_owned(), list(&info.principals)),
                ("resources".to_owned(), list(&info.resources)),
                ("in".to_owned(), groups.join(", ")),
            ]);
            shape_fields(&info.context, "context", &mut fields);
            (uid.to_string(), fields)
        };
        self.tables.actions.iter().map(of).collect()
    }
}
