//! Worlds of the three apps: so many of each kind of thing, who belongs to what drawn at random, as in the paper.

use crate::Result;
use crate::cold::Dice;
use hos_core::id::Uid;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use std::collections::BTreeSet;

/// How many requests are drawn.
const ASKED: usize = 500;

pub(super) struct World {
    pub(super) entities: Vec<Entity>,
    /// Principal, action, resource.
    pub(super) asked: Vec<(Uid, Uid, Uid)>,
}

fn uid(kind: &str, id: impl std::fmt::Display) -> Result<Uid> {
    Ok(Uid::new(kind, id.to_string())?)
}

fn entity(uid: Uid, attrs: Vec<(&str, Value)>, parents: BTreeSet<Uid>) -> Entity {
    let attrs: Record = attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity { uid, attrs, parents, record: None }
}

/// A few of so many, each once.
fn some(dice: &mut Dice, kind: &str, of: usize, most: usize) -> Result<BTreeSet<Uid>> {
    (0..dice.below(most + 1)).map(|_| uid(kind, dice.below(of))).collect()
}

fn asked(dice: &mut Dice, actions: &[&str], size: usize, resource: &str) -> Result<Vec<(Uid, Uid, Uid)>> {
    let one = |dice: &mut Dice| {
        let action = uid("Action", actions[dice.below(actions.len())])?;
        Ok((uid("User", dice.below(size))?, action, uid(resource, dice.below(size))?))
    };
    (0..ASKED).map(|_| one(dice)).collect()
}

/// Users in teams and organisations; repositories of an organisation, each with five groups of permissions.
pub(super) fn github(size: usize) -> Result<World> {
    let mut dice = Dice::new(11);
    let mut entities = Vec::new();
    let roles = ["readers", "triagers", "writers", "maintainers", "admins"];
    for i in 0..size {
        let group = |role: &str| uid("RepoPermission", format!("{i}-{role}"));
        let mut attrs = vec![("owner", Value::Entity(uid("Organization", dice.below(size))?))];
        for (at, role) in roles.iter().enumerate() {
            // Who may do more may do less.
            let above = roles.get(at + 1).map(|_| BTreeSet::new()).unwrap_or_default();
            entities.push(entity(group(role)?, Vec::new(), above));
            attrs.push((role, Value::Entity(group(role)?)));
        }
        entities.push(entity(uid("Repository", i)?, attrs, BTreeSet::new()));
        let owned = ["readers", "writers", "admins"].map(|role| Ok((role, uid("OrgPermission", format!("{i}-{role}"))?)));
        let owned: Vec<_> = owned.into_iter().collect::<Result<_>>()?;
        let attrs = owned.iter().map(|(role, group)| (*role, Value::Entity(group.clone()))).collect();
        entities.extend(owned.iter().map(|(_, group)| entity(group.clone(), Vec::new(), BTreeSet::new())));
        entities.push(entity(uid("Organization", i)?, attrs, BTreeSet::new()));
        // Teams stand in teams of a smaller number: no circles.
        let mut parents = if i > 0 { some(&mut dice, "Team", i, 1)? } else { BTreeSet::new() };
        parents.insert(uid("RepoPermission", format!("{}-{}", dice.below(size), roles[dice.below(5)]))?);
        entities.push(entity(uid("Team", i)?, Vec::new(), parents));
        let mut parents = some(&mut dice, "Team", size, 2)?;
        parents.extend(some(&mut dice, "Organization", size, 1)?);
        parents.insert(uid("RepoPermission", format!("{}-{}", dice.below(size), roles[dice.below(5)]))?);
        parents.insert(uid("OrgPermission", format!("{}-readers", dice.below(size)))?);
        entities.push(entity(uid("User", i)?, Vec::new(), parents));
    }
    Ok(World { entities, asked: asked(&mut dice, &["read", "triage", "write", "maintain", "admin"], size, "Repository")? })
}

/// Users with a view of their own; documents in folders, some shared with a view, some public.
pub(super) fn gdrive(size: usize) -> Result<World> {
    let mut dice = Dice::new(12);
    let mut entities = Vec::new();
    for i in 0..size {
        let above = if i > 0 { some(&mut dice, "View", i, 1)? } else { BTreeSet::new() };
        entities.push(entity(uid("View", i)?, Vec::new(), above));
        entities.push(entity(uid("Group", i)?, Vec::new(), BTreeSet::new()));
        let mut parents = some(&mut dice, "View", size, 1)?;
        parents.extend(if i > 0 { some(&mut dice, "Folder", i, 1)? } else { BTreeSet::new() });
        entities.push(entity(uid("Folder", i)?, Vec::new(), parents));
        let mut parents = some(&mut dice, "View", size, 2)?;
        parents.extend(some(&mut dice, "Folder", size, 1)?);
        entities.push(entity(uid("Document", i)?, vec![("isPublic", Value::Bool(dice.below(10) == 0))], parents));
        let owned = |dice: &mut Dice, kind: &str| -> Result<Value> {
            Ok(Value::Set(some(dice, kind, size, 3)?.into_iter().map(Value::Entity).collect()))
        };
        let attrs = vec![
            ("documentsAndFoldersWithViewAccess", Value::Entity(uid("View", i)?)),
            ("ownedDocuments", owned(&mut dice, "Document")?),
            ("ownedFolders", owned(&mut dice, "Folder")?),
        ];
        entities.push(entity(uid("User", i)?, attrs, some(&mut dice, "Group", size, 2)?));
    }
    Ok(World { entities, asked: asked(&mut dice, &["read", "write", "share", "changeOwner"], size, "Document")? })
}

/// Users in teams; lists with an owner, a team that reads and a team that edits.
pub(super) fn tinytodo(size: usize) -> Result<World> {
    let mut dice = Dice::new(13);
    let app = || uid("Application", "TinyTodo");
    let mut entities = vec![entity(app()?, Vec::new(), BTreeSet::new())];
    for i in 0..size {
        let mut parents = if i > 0 { some(&mut dice, "Team", i, 1)? } else { BTreeSet::new() };
        parents.insert(app()?);
        entities.push(entity(uid("Team", i)?, Vec::new(), parents));
        let mut parents = some(&mut dice, "Team", size, 3)?;
        parents.insert(app()?);
        entities.push(entity(uid("User", i)?, Vec::new(), parents));
        let attrs = vec![
            ("owner", Value::Entity(uid("User", dice.below(size))?)),
            ("name", Value::String(format!("list {i}"))),
            ("readers", Value::Entity(uid("Team", dice.below(size))?)),
            ("editors", Value::Entity(uid("Team", dice.below(size))?)),
            ("tasks", Value::Set(BTreeSet::new())),
        ];
        entities.push(entity(uid("List", i)?, attrs, [app()?].into()));
    }
    let actions = ["GetList", "UpdateList", "DeleteList", "CreateTask", "UpdateTask", "DeleteTask", "EditShares"];
    Ok(World { entities, asked: asked(&mut dice, &actions, size, "List")? })
}
