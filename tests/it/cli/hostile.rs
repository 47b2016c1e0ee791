//! Files that nobody should write, through the program: it ends with 1, says why in few words, and
//! takes little memory and time.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Folder, Ran};

const NAME: &str = "data-product-descriptor.yaml";

/// Runs `validate` with a gigabyte of address space at most, of which its threads' stacks and heaps
/// reserve the most part; the 20 MB of a debug build are among it.
fn validate(folder: &Path) -> Ran {
    let mut command = Command::new("sh");
    command.env_clear().current_dir(folder);
    command.args(["-c", "ulimit -v 1000000 && exec \"$0\" validate"]).arg(assert_cmd::cargo::cargo_bin!("meshwright"));
    let begun = Instant::now();
    let output = command.output().unwrap();
    let ran = Ran {
        line: "meshwright validate".to_owned(),
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        folder: folder.canonicalize().unwrap(),
    };
    // A bound far above what it takes (a tenth of a second), so that a busy machine does not matter.
    assert!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
    ran
}

#[test]
fn hostile_files_are_refused_in_few_words() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let files: [(&str, Vec<u8>); 9] = [
        ("syntax/too-large", [b"a: ".to_vec(), vec![b'x'; 50_000_000]].concat()),
        ("syntax/too-deep", b"[".repeat(20_000)),
        ("syntax/too-deep", b"{a: ".repeat(20_000)),
        ("syntax/alias-bomb", bomb.into_bytes()),
        ("syntax/encoding", (0..=255).cycle().skip(128).take(5_000).collect()),
        ("syntax/control-character", b"\x7fELF\0\0\0".to_vec()),
        ("syntax/several-documents", b"dataProductDescriptor: 1.0.0\n---\ndataProductDescriptor: 1.0.0\n".to_vec()),
        ("syntax/duplicate-key", b"info: {}\ninfo: {}\n".to_vec()),
        ("syntax/encoding", "info: {}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for (rule, content) in files {
        let folder = Folder::empty();
        fs::write(folder.path().join(NAME), content).unwrap();
        let ran = validate(folder.path());
        assert_eq!(ran.code, 1, "{rule}: {}", ran.page());
        assert!(ran.out.contains(&format!("error[{rule}]")), "{rule}: {}", ran.page());
        assert!(ran.out.len() < 10_000, "{rule}: {} bytes are said", ran.out.len());
    }
}

#[test]
fn links_and_names_that_differ_by_case_are_findings() {
    let folder = Folder::empty();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join(NAME)).unwrap();
    let ran = validate(folder.path());
    assert!(ran.code == 1 && ran.out.contains("error[discover/link]"), "{}", ran.page());
    assert!(!ran.out.contains("root:"), "{}", ran.page());

    let folder = Folder::empty();
    for name in ["a", "A"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join(NAME), "dataProductDescriptor: 1.0.0\n").unwrap();
    }
    let ran = validate(folder.path());
    assert!(ran.code == 1 && ran.out.contains("warning[discover/case-only]"), "{}", ran.page());
}
