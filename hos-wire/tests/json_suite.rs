//! The JSON test suite (318 parsing cases, 22 transforms) against [`hos_wire::strict`].
//!
//! What RFC 8259 refuses, we refuse. What it accepts we accept, but for the cases named below, which hold floats, nulls,
//! `-0` or a key twice: valid JSON, and refused on purpose with a code that says why. What it leaves open is refused.

use hos_core::refusal::Code;
use hos_wire::strict::{self, Tree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

// Valid JSON that our own rules refuse.
const OURS: [(&str, Code); 23] = [
    ("y_array_heterogeneous.json", Code::ValueInvalid),
    ("y_array_null.json", Code::ValueInvalid),
    ("y_array_with_several_null.json", Code::ValueInvalid),
    ("y_number.json", Code::ValueInvalid),
    ("y_number_0e+1.json", Code::ValueInvalid),
    ("y_number_0e1.json", Code::ValueInvalid),
    ("y_number_double_close_to_zero.json", Code::ValueInvalid),
    ("y_number_int_with_exp.json", Code::ValueInvalid),
    ("y_number_minus_zero.json", Code::ValueInvalid),
    ("y_number_negative_zero.json", Code::ValueInvalid),
    ("y_number_real_capital_e.json", Code::ValueInvalid),
    ("y_number_real_capital_e_neg_exp.json", Code::ValueInvalid),
    ("y_number_real_capital_e_pos_exp.json", Code::ValueInvalid),
    ("y_number_real_exponent.json", Code::ValueInvalid),
    ("y_number_real_fraction_exponent.json", Code::ValueInvalid),
    ("y_number_real_neg_exp.json", Code::ValueInvalid),
    ("y_number_real_pos_exponent.json", Code::ValueInvalid),
    ("y_number_simple_real.json", Code::ValueInvalid),
    ("y_object_duplicated_key.json", Code::CallMalformed),
    ("y_object_duplicated_key_and_value.json", Code::CallMalformed),
    ("y_object_extreme_numbers.json", Code::ValueInvalid),
    ("y_structure_lonely_negative_real.json", Code::ValueInvalid),
    ("y_structure_lonely_null.json", Code::ValueInvalid),
];

// Left open by RFC 8259, and sound by our rules.
const OPEN_AND_SOUND: [&str; 0] = [];

fn suite(folder: &str) -> Option<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/vectors/json-test-suite").join(folder);
    let Ok(entries) = std::fs::read_dir(root) else {
        println!("skipped: ../shared/data is absent");
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    Some(paths)
}

#[test]
fn every_parsing_case_ends_as_it_must() {
    let Some(paths) = suite("test_parsing") else { return };
    let ours: BTreeMap<&str, Code> = OURS.into_iter().collect();
    let (mut accepted, mut refused, mut by_us, mut open) = (0, 0, 0, 0);
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let result = strict::parse(&std::fs::read(path).unwrap(), 1 << 20);
        match (name.split('_').next().unwrap(), ours.get(name)) {
            ("y", None) => {
                assert!(result.is_ok(), "{name}: {result:?}");
                accepted += 1;
            }
            ("y", Some(code)) => {
                assert_eq!(result.unwrap_err().code, *code, "{name}");
                by_us += 1;
            }
            ("n", _) => {
                let code = result.expect_err(name).code;
                assert!(matches!(code, Code::CallMalformed | Code::CallTooLarge | Code::ValueInvalid), "{name}: {code}");
                refused += 1;
            }
            ("i", _) => {
                assert_eq!(result.is_ok(), OPEN_AND_SOUND.contains(&name), "{name}: {result:?}");
                open += 1;
            }
            _ => panic!("{name} is of no known kind"),
        }
    }
    assert_eq!((accepted + by_us, refused, open), (95, 188, 35), "{} of them refused by our own rules", by_us);
}

#[test]
fn nul_is_text_like_any_other() {
    let Some(_) = suite("test_parsing") else { return };
    assert_eq!(strict::parse(br#""\u0000""#, 100).unwrap(), Tree::Text("\0".into()));
}

#[test]
fn no_transform_changes_a_meaning() {
    let Some(paths) = suite("test_transform") else { return };
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let result = strict::parse(&std::fs::read(path).unwrap(), 1 << 20);
        let sound = matches!(
            name,
            "number_-9223372036854775808.json"
                | "number_1000000000000000.json"
                | "number_9223372036854775807.json"
                | "object_key_nfc_nfd.json"
                | "object_key_nfd_nfc.json"
                | "string_with_escaped_NULL.json"
        );
        assert_eq!(result.is_ok(), sound, "{name}: {result:?}");
        // Two spellings of one character are two keys: bytes are compared, nothing is normalised.
        if let (true, Ok(Tree::Object(object))) = (name.starts_with("object_key_nf"), &result) {
            assert_eq!(object.len(), 2, "{name}");
        }
    }
    assert_eq!(paths.len(), 22);
}
