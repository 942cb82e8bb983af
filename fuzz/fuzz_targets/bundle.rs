#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hos_testkit::targets::bundle(data));
