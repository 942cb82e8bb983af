//! What the READMEs count is what there is.

use serde_json::Value as Json;
use std::path::Path;

#[test]
fn the_call_vectors_are_as_many_as_the_readmes_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = std::fs::read_dir(root.join("testdata/vectors/call")).unwrap().map(|file| file.unwrap().path());
    let cases = |path: &Path| -> usize {
        let scenario: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        scenario["cases"].as_array().unwrap().len()
    };
    let count: usize = files.filter(|path| path.extension().is_some_and(|ext| ext == "json")).map(|path| cases(&path)).sum();
    for (readme, words) in [("README.md", "call vectors"), ("README.tr.md", "ortak örnek")] {
        let text = std::fs::read_to_string(root.join(readme)).unwrap();
        assert!(text.contains(&format!(" {count} {words}")), "{readme}: there are {count} {words}");
    }
}
