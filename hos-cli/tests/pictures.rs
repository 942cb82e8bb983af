//! Pictures and pages: a contract's, an instance's path in it, and its story as a page that loads nothing.

mod common;

use common::{World, hos, law, run};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_contract_is_drawn_as_a_picture() {
    let directory = law();
    let draw = |more: &[&str]| {
        let mut command = hos();
        command.arg("diagram").args(more);
        run(command)
    };
    let dir = directory.to_str().unwrap();
    let picture = draw(&[dir, "order", "--svg"]).ended(0).out;
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>") && picture.contains(">place</text>"));
    assert_eq!(draw(&[dir, "order", "--format", "svg"]).ended(0).out, picture);
    assert!(draw(&[dir, "order"]).ended(0).out.starts_with("stateDiagram-v2"));
    for wrong in [&[dir][..], &[dir, "orders", "--svg"], &[dir, "order", "--svg", "--format", "dot"], &[]] {
        draw(wrong).ended(2);
    }
}

#[test]
fn an_instance_s_path_is_drawn_in() {
    let world = World::new();
    world.order("o-1");
    world.ayse(&["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"]).ended(0);
    let picture = world.run(&["diagram", "--instance", "order/o-1", "--svg"]).ended(0).out;
    assert!(picture.contains("class=\"state now\"") && picture.contains(">2</text>") && !picture.contains(">3</text>"));
    assert_eq!(picture, world.run(&["diagram", "--instance", "order/o-1"]).ended(0).out);
    let json = world.run(&["diagram", "--instance", "order/o-1", "--json"]).ended(0).json();
    assert_eq!((json["format"].as_str(), json["contract"].as_str()), (Some("svg"), Some("order")));
    assert_eq!(world.run(&["diagram", "--instance", "order/none", "--json"]).ended(1).code(), "hos.instance_unknown");
    world.run(&["diagram", "--instance", "order", "--json"]).ended(2);
    world.run(&["diagram", "--instance", "order/o-1", "--format", "dot"]).ended(2);
}

#[test]
fn a_story_is_a_page_that_loads_and_runs_nothing() {
    let world = World::new();
    let id = "<script>alert(1)</script>";
    world
        .ayse(&[
            "begin",
            "order",
            id,
            "place",
            "--fact",
            "buyer=ayse",
            "--fact",
            "total=4200",
            "--fact",
            "tags=</pre><img src=x>",
        ])
        .ended(0);
    world.ayse(&["transition", "order", id, "pay", "--arg", "amount=4200", "--arg", "psp_ref=&\"'"]).ended(0);
    let page = |name: &str, more: &[&str]| {
        let file = world.path(name);
        world.run(&[&["history", "order", id, "--html", &file][..], more].concat()).ended(0);
        std::fs::read_to_string(file).unwrap()
    };
    let english = page("en.html", &[]);
    assert!(english.starts_with("<!doctype html>\n<html lang=\"en\">") && english.contains("The story of"));
    assert!(english.contains("content=\"default-src 'none'; style-src 'sha256-"));
    let style = english.split("<style>").nth(1).and_then(|s| s.split("</style>").next()).unwrap();
    assert!(english.contains(&hos_core::digest::style_source(style)), "the policy names the one style");
    assert_eq!(english.matches("<style").count(), 1);
    for word in ["<script", "<img", "javascript:", "http://", "https://", "style=\"", "onload", "url("] {
        let found = english.matches(word).count();
        assert_eq!(found, usize::from(word == "http://"), "{word}");
    }
    assert!(english.contains("&lt;script&gt;") && english.contains("<svg ") && english.contains("class=\"state now\""));
    assert!(english.contains("new") && english.contains("buyer") && !english.contains("class=\"er\">Erased"));
    // It holds what it is about in the clear; and a file that is there is not replaced.
    assert_eq!(std::fs::metadata(world.path("en.html")).unwrap().permissions().mode() & 0o777, 0o600);
    world.run(&["history", "order", id, "--html", &world.path("en.html")]).ended(2);
    let turkish = page("tr.html", &["--lang", "tr"]);
    assert!(turkish.contains("<html lang=\"tr\">") && turkish.contains("Kayıtlar"));

    world.run(&["erase", "Account::ayse", "--ground", "x"]).ended(0);
    let erased = page("erased.html", &[]);
    assert!(erased.contains("class=\"er\">Erased: ") && erased.contains("<li class=\"end\">") && !erased.contains("4200"));
    assert!(erased.contains("class=\"w\"") && erased.contains(">erased</text>"));
    assert!(page("silindi.html", &["--lang", "tr"]).contains(">silindi</text>"));
    world.run(&["history", "order", "none", "--html", &world.path("none.html")]).ended(1);
    assert!(!std::path::Path::new(&world.path("none.html")).exists());
}
