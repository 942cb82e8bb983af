//! Signatures, held against other people's vectors.

mod proof_support;

use hos_core::proof::key::{SealKey, VerifyKey};
use proof_support::{read_json, shared, unhex};

fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<&[u8; 32]>::try_from(key), <&[u8; 64]>::try_from(signature)) else { return false };
    VerifyKey::from_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok())
}

#[test]
fn of_the_914_edge_cases_exactly_43_hold() {
    let Some(folder) = shared("vectors/ed25519") else { return };
    let cases = read_json(&folder.join("cctv_ed25519vectors.json"));
    let cases = cases.as_array().unwrap();
    let mut accepted = 0;
    for case in cases {
        let bytes = |field: &str| unhex(case[field].as_str().unwrap());
        let flags: Vec<&str> = case["flags"].as_array().into_iter().flatten().map(|f| f.as_str().unwrap()).collect();
        // The rule: canonical, neither A nor R of small order, and the equation holds without the cofactor.
        let wrong = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
        let lawful = !flags.iter().any(|flag| wrong.contains(flag));
        let verdict = holds(&bytes("key"), case["msg"].as_str().unwrap().as_bytes(), &bytes("sig"));
        assert_eq!(verdict, lawful, "case {}: {flags:?}", case["number"]);
        accepted += usize::from(verdict);
    }
    assert_eq!((cases.len(), accepted), (914, 43));
}

#[test]
fn wycheproofs_cases_give_their_verdicts() {
    let Some(folder) = shared("vectors/ed25519") else { return };
    let file = read_json(&folder.join("wycheproof_ed25519_test.json"));
    let mut seen = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = unhex(group["publicKey"]["pk"].as_str().unwrap());
        for case in group["tests"].as_array().unwrap() {
            let verdict = holds(&key, &unhex(case["msg"].as_str().unwrap()), &unhex(case["sig"].as_str().unwrap()));
            assert_eq!(verdict, case["result"] == "valid", "case {}", case["tcId"]);
            seen += 1;
        }
    }
    assert_eq!(seen, 151);
}

#[test]
fn rfc_8032s_inputs_sign_to_their_signatures() {
    let Some(folder) = shared("vectors/ed25519") else { return };
    let lines = std::fs::read_to_string(folder.join("rfc8032_sign_input_128.txt")).unwrap();
    let mut seen = 0;
    for line in lines.lines() {
        let pieces: Vec<Vec<u8>> = line.split(':').take(4).map(unhex).collect();
        let [secret, public, message, signed] = &pieces[..] else { panic!("four pieces a line") };
        let key = SealKey::from_seed(secret[..32].try_into().unwrap());
        assert_eq!(key.verify_key().as_bytes()[..], public[..]);
        assert_eq!(key.sign(message)[..], signed[..64]);
        assert!(holds(public, message, &signed[..64]));
        seen += 1;
    }
    assert_eq!(seen, 128);
}

#[test]
fn a_public_key_is_shown_and_a_secret_one_is_not() {
    let secret = SealKey::from_seed(&[0x5a; 32]);
    let public = secret.verify_key();
    let digits: String = public.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(format!("{public:?}"), format!("VerifyKey({digits})"));
    assert_eq!(format!("{secret:?}"), format!("SealKey(hidden, public VerifyKey({digits}))"));
}
