#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| meshwright::check::properties::loader(bytes));
