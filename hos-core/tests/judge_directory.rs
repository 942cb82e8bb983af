//! Directory changes: who may make them, what they write, and what row they leave.

mod judge_support;

use hos_core::call::{Call, Change, Directory};
use hos_core::id::Tenant;
use hos_core::judge::{DirectoryAfter, apply_change};
use hos_core::value::Record;
use judge_support::law::first;
use judge_support::*;

fn put(of: hos_core::id::Uid, attrs: Record) -> Change {
    Change::Put { uid: of, attrs }
}

fn role(id: &str) -> hos_core::id::Uid {
    uid("Role", id)
}

fn grant(id: &str, template: &str, principal: Option<hos_core::id::Uid>, resource: Option<hos_core::id::Uid>) -> Change {
    Change::Grant { id: id.into(), template: template.into(), principal, resource }
}

fn does(desk: &mut Desk, who: &str, change: Change) -> Vec<String> {
    let lines = desk.call(&Call::Directory(Directory::new(reader(who), change)));
    let Some(judged) = &desk.last else { unreachable!() };
    let row = match &judged.directory {
        None => return lines,
        Some(DirectoryAfter::Entity { entity, removed, .. }) => (tell::entity(entity), *removed),
        Some(DirectoryAfter::Grant { link, removed, .. }) => (tell::link(link), *removed),
    };
    lines.into_iter().chain([format!("row: {}{}", row.0, if row.1 { ", removed" } else { "" })]).collect()
}

#[test]
fn a_tenant_s_directory_grows_and_shrinks_by_records() {
    let mut scene = Scene::new("directory");
    let mut desk = Desk::new(first());
    let join = |who: &str, parent: &str| Change::Join { uid: reader(who), parent: role(parent) };
    let leave = |who: &str, parent: &str| Change::Leave { uid: reader(who), parent: role(parent) };
    scene.told("a role", does(&mut desk, "sue", put(role("desk"), Record::new())));
    scene.told("not by a reader", does(&mut desk, "ana", put(role("door"), Record::new())));
    scene.told("a shelf", does(&mut desk, "sue", put(uid("Shelf", "c"), record(&[("closes", after(1))]))));
    scene.told("with another hour", does(&mut desk, "sue", put(uid("Shelf", "c"), record(&[("closes", after(2))]))));
    scene.told("what no shelf has", does(&mut desk, "sue", put(uid("Shelf", "d"), record(&[("wide", true.into())]))));
    scene.told("an account is the universe's", does(&mut desk, "sue", put(reader("new"), Record::new())));
    scene.told("ana joins", does(&mut desk, "sue", join("ana", "desk")));
    scene.told("once is enough", does(&mut desk, "sue", join("ana", "desk")));
    scene.told("a role that nobody knows", does(&mut desk, "sue", join("ana", "none")));
    scene.told("a reader whom nobody knows", does(&mut desk, "sue", join("eve", "desk")));
    scene.told("not by ben", does(&mut desk, "ben", leave("ana", "desk")));
    scene.told("ana leaves", does(&mut desk, "sue", leave("ana", "desk")));
    scene.told("she is in it no more", does(&mut desk, "sue", leave("ana", "desk")));
    scene.told("the shelf goes", does(&mut desk, "sue", Change::Remove { uid: uid("Shelf", "c") }));
    scene.told("it is gone", does(&mut desk, "sue", Change::Remove { uid: uid("Shelf", "c") }));
    scene.told(
        "and comes back, its thread goes on",
        does(&mut desk, "sue", put(uid("Shelf", "c"), record(&[("closes", after(3))]))),
    );
    desk.attest(&put(role("door"), Record::new()));
    desk.attest(&join("ben", "door"));
    scene.told("a doorkeeper lets in", does(&mut desk, "ben", join("ana", "desk")));
    scene.told("and sees nobody out", does(&mut desk, "ben", leave("ana", "desk")));
    scene.told("ana is removed", does(&mut desk, "sue", Change::Remove { uid: reader("ana") }));
    scene.ends();
}

#[test]
fn grants_are_links_of_the_law_s_templates() {
    let mut scene = Scene::new("grants");
    let mut desk = Desk::new(first());
    let keeper = || grant("g-1", "keeper", Some(reader("ana")), None);
    scene.told("over nothing, it is judged on whom it is given to", does(&mut desk, "sue", keeper()));
    scene.told("it is there", does(&mut desk, "sue", keeper()));
    scene.told("a name that is a policy's", does(&mut desk, "sue", grant("staff", "keeper", Some(reader("ana")), None)));
    scene.told("no such template", does(&mut desk, "sue", grant("g-2", "keepers", Some(reader("ana")), None)));
    scene.told(
        "slots that it does not have",
        does(&mut desk, "sue", grant("g-2", "keeper", Some(reader("ana")), Some(role("staff")))),
    );
    scene.told("a slot that is empty", does(&mut desk, "sue", grant("g-2", "shelver", Some(reader("ana")), None)));
    scene.told("neither slot", does(&mut desk, "sue", grant("g-2", "keeper", None, None)));
    scene.told("whom nobody knows", does(&mut desk, "sue", grant("g-2", "keeper", Some(reader("eve")), None)));
    scene.told(
        "over a shelf that nobody knows",
        does(&mut desk, "sue", grant("g-2", "shelver", Some(reader("ben")), Some(uid("Shelf", "z")))),
    );
    scene.told("over a shelf", does(&mut desk, "sue", grant("g-2", "shelver", Some(reader("ben")), Some(uid("Shelf", "a")))));
    scene.told("not by ben", does(&mut desk, "ben", grant("g-3", "keeper", Some(reader("ben")), None)));
    scene.told(
        "by his grant ben may change that shelf",
        does(&mut desk, "ben", put(uid("Shelf", "a"), record(&[("closes", after(9))]))),
    );
    scene.told("and no other", does(&mut desk, "ben", put(uid("Shelf", "b"), record(&[("closes", after(9))]))));
    desk.begin(ask("ana", "l-1", 300));
    desk.wait(HOUR);
    desk.tick("loan/l-1");
    scene.told("ana may open again what is void", desk.moves(event("ana", "reopen", "l-1").because("mine")));
    scene.told("not by ana", does(&mut desk, "ana", Change::Revoke { id: "g-1".into() }));
    scene.told("her grant ends", does(&mut desk, "sue", Change::Revoke { id: "g-1".into() }));
    scene.told("it has ended", does(&mut desk, "sue", Change::Revoke { id: "g-1".into() }));
    scene.told("one that never was", does(&mut desk, "sue", Change::Revoke { id: "g-9".into() }));
    scene.told("it is given anew, its thread goes on", does(&mut desk, "sue", keeper()));
    let once = Call::Directory(Directory {
        once: Some(hos_core::id::OnceKey::new("k").unwrap()),
        ..Directory::new(reader("sue"), Change::Revoke { id: "g-2".into() })
    });
    scene.told("under a once-key", desk.call(&once));
    scene.ends();
}

#[test]
fn accounts_are_the_universe_s() {
    let mut scene = Scene::new("universe");
    let mut desk = Desk::new(first());
    desk.tenant = Tenant::universe();
    let attrs = || record(&[("active", true.into()), ("limit", 5.into())]);
    scene.told("an account", does(&mut desk, "sue", put(reader("new"), attrs())));
    scene
        .told("it changes", does(&mut desk, "sue", put(reader("new"), record(&[("active", false.into()), ("limit", 5.into())]))));
    scene.told("not by itself", does(&mut desk, "new", put(reader("new"), attrs())));
    scene.told("roles are there, too", does(&mut desk, "sue", put(role("all"), Record::new())));
    // Of what the universe has, a tenant has no row of its own.
    desk.tenant = Tenant::new("lib-tr").unwrap();
    let row = desk.rows[&role("all")].clone();
    let rows = hos_core::judge::DirectoryRows::default();
    let remove = Directory::new(reader("sue"), Change::Remove { uid: role("all") });
    let refused = desk.with(None, |bench| hos_core::judge::change(bench, &remove, &rows).answer);
    scene.told("a tenant does not remove what is the universe's", vec![tell::answer(&refused)]);
    let mut rows = rows;
    rows.entity = Some((row.0, row.1, true));
    let refused = desk.with(None, |bench| hos_core::judge::change(bench, &remove, &rows).answer);
    scene.told("what is removed is not removed again", vec![tell::answer(&refused)]);
    scene.ends();
}

/// A row as a change leaves it, whatever stood there.
#[test]
fn a_change_leaves_a_row() {
    let desk = Desk::new(first());
    let thread = desk.rows[&reader("sue")].0;
    let says = |change: &Change, removed: bool| {
        let mut rows = desk.rows_of(change);
        if let Some(row) = rows.entity.as_mut() {
            row.2 = removed;
        }
        match apply_change(change, &rows, thread) {
            Some(DirectoryAfter::Entity { thread: of, entity, removed }) => {
                assert_eq!((of, entity.record), (thread, Some(thread.last)));
                format!("{}{}", tell::entity(&entity), if removed { " removed" } else { "" })
            }
            Some(DirectoryAfter::Grant { thread: of, link, removed }) => {
                assert_eq!((of, link.record), (thread, Some(thread.last)));
                format!("{}{}", tell::link(&link), if removed { " removed" } else { "" })
            }
            None => "-".to_owned(),
        }
    };
    let sue = || reader("sue");
    let join = Change::Join { uid: sue(), parent: role("desk") };
    assert_eq!(says(&join, false), "Reader sue* {active=true limit=900} in Role desk in Role staff");
    // Whoever was removed begins anew.
    assert_eq!(says(&join, true), "Reader sue* {} in Role desk");
    assert_eq!(says(&Change::Leave { uid: sue(), parent: role("staff") }, false), "Reader sue* {active=true limit=900}");
    assert_eq!(says(&put(sue(), record(&[("limit", 1.into())])), false), "Reader sue* {limit=1} in Role staff");
    assert_eq!(says(&put(sue(), Record::new()), true), "Reader sue* {}");
    assert_eq!(says(&Change::Remove { uid: sue() }, false), "Reader sue* {} removed");
    assert_eq!(says(&put(role("new"), Record::new()), false), "Role new* {}");
    assert_eq!(says(&grant("g", "keeper", Some(sue()), None), false), "link g* of keeper (Reader sue, -)");
    assert_eq!(says(&Change::Revoke { id: "g".into() }, false), "-", "there is no such grant");
}

#[test]
fn a_tenant_does_not_change_what_is_the_universe_s() {
    use hos_core::call::{Change, Directory};
    let desk = Desk::new(first());
    let call = Directory::new(reader("sue"), Change::Put { uid: uid("Shelf", "a"), attrs: record(&[("closes", after(1))]) });
    // The directory has it, and the tenant no row of its own: it is the universe's.
    let rows = hos_core::judge::DirectoryRows::default();
    let answer = desk.with(None, |bench| hos_core::judge::change(bench, &call, &rows).answer);
    assert_eq!(answer.code(), Some("hos.directory_conflict"));
}

#[test]
fn a_grant_is_called_as_a_header_can_say_it() {
    let mut desk = Desk::new(first());
    let called = |id: String| Call::Directory(Directory::new(reader("sue"), grant(&id, "keeper", Some(reader("ana")), None)));
    let mut code = |id: String| {
        desk.call(&called(id));
        desk.last.as_ref().and_then(|judged| judged.answer.code().map(str::to_owned))
    };
    assert_eq!(code(String::new()).as_deref(), Some("hos.id_invalid"));
    assert_eq!(code("g".repeat(256)).as_deref(), Some("hos.id_invalid"));
    assert_eq!(code("g".repeat(255)), None);
}

#[test]
fn a_change_takes_no_context_that_no_policy_would_see() {
    let desk = Desk::new(first());
    let mut call = Directory::new(reader("sue"), put(role("desk"), Record::new()));
    let rows = hos_core::judge::DirectoryRows::default();
    let code =
        |call: &Directory| desk.with(None, |bench| hos_core::judge::change(bench, call, &rows).answer.code().map(str::to_owned));
    assert_eq!(code(&call), None);
    call.by.context = record(&[("risk", true.into())]).into();
    assert_eq!(code(&call).as_deref(), Some("hos.call_malformed"));
}

#[test]
fn what_a_law_has_no_action_for_is_refused_the_same_again() {
    let mut desk = Desk::new(judge_support::law::unremoving());
    let lines = does(&mut desk, "sue", Change::Remove { uid: uid("Shelf", "a") });
    assert_eq!(desk.last.as_ref().and_then(|judged| judged.answer.code()), Some("hos.action_unknown"));
    assert!(lines.iter().any(|line| line.contains("the same again")), "{lines:#?}");
}
