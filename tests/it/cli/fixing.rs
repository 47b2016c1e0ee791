//! `validate --fix`, as people meet it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Folder;

const ROOT: &str = "data-product-descriptor.yaml";

const WRONG: &str = "\
# Orders, as the shop takes them.
dataProductDescriptor: 1.0.0
info:
  id: 2b172838-73b1-5d6c-be45-cc75aee180a0   # copied
  fullyQualifiedName: 'urn:dpds:com.acme:dataproducts:returns:1'
  entityType: \"DataProduct\"
  name: orders
  version: 2.3.0
  domain: sales
  owner: { id: sales-data@acme.example }
interfaceComponents:
  outputPorts:
    - $ref: ports/orders.json
internalComponents:
  lifecycleInfo:
    dev:
      - service: {   $href:   '{warehouse}'   }   # spaces kept
        template: { $ref: '#components/templates/tables' }
components:
  templates:
    tables: { name: tables, version: 1.0.0, specification: sql, definition: {} }
";

const PORT: &str =
    "{ \"name\": \"orders\",   \"version\": \"2.0.0\", \"entityType\": \"port\",\r\n\t\"description\": \"\" }";

fn folder() -> Folder {
    let folder = Folder::empty();
    fs::create_dir(folder.path().join("ports")).unwrap();
    fs::write(folder.path().join(ROOT), WRONG).unwrap();
    fs::write(folder.path().join("ports/orders.json"), PORT).unwrap();
    folder
}

fn text(folder: &Folder, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

const FIX: [&str; 4] = ["validate", "--namespace", "com.acme", "--fix"];

#[test]
fn what_is_safe_is_mended_and_shown() {
    let folder = folder();
    fs::set_permissions(folder.path().join(ROOT), fs::Permissions::from_mode(0o604)).unwrap();
    let dry = folder.run(&[&FIX[..], &["--dry-run"]].concat());
    dry.is("fix_dry_run");
    assert_eq!((text(&folder, ROOT).as_str(), text(&folder, "ports/orders.json").as_str()), (WRONG, PORT));

    let ran = folder.run(&FIX);
    ran.is("fix");
    let mended = text(&folder, ROOT);
    assert_eq!(mended.lines().count(), WRONG.lines().count());
    assert!(mended.contains("'warehouse'   }   # spaces kept") && mended.contains("   # copied"), "{mended}");
    assert_eq!(text(&folder, "ports/orders.json"), PORT.replace("\"port\"", "\"outputport\""));
    assert_eq!(fs::metadata(folder.path().join(ROOT)).unwrap().permissions().mode() & 0o777, 0o604);

    let again = folder.run(&FIX);
    again.is("fix_again");
    assert_eq!(text(&folder, ROOT), mended);
}

/// What `--dry-run` shows is what `git apply` needs to come to the same.
#[test]
fn the_difference_can_be_applied() {
    let (shown, mended) = (folder(), folder());
    let dry = shown.run(&[&FIX[..], &["--dry-run"]].concat());
    mended.run(&FIX);
    let from = dry.out.find("--- a/").unwrap();
    let patch = shown.path().join("difference.patch");
    fs::write(&patch, &dry.out[from..dry.out.find("error[").unwrap()]).unwrap();
    let applied = Command::new("git").args(["apply", "--unidiff-zero"]).arg(&patch).current_dir(shown.path()).output();
    let applied = applied.unwrap();
    assert!(applied.status.success(), "{}\n{}", String::from_utf8_lossy(&applied.stderr), dry.out);
    for path in [ROOT, "ports/orders.json"] {
        assert_eq!(text(&shown, path), text(&mended, path));
    }
}

#[test]
fn programs_are_told_what_was_mended() {
    let folder = folder();
    let schema: Value = serde_json::from_str(&folder.run(&["schema", "findings"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (arguments, outcome) in [(vec!["-o", "json", "--dry-run"], "proposed"), (vec!["-o", "json"], "mended")] {
        let ran = folder.run(&[&FIX[..], &arguments].concat());
        assert_eq!(ran.code, i32::from(outcome == "proposed"), "{}", ran.page());
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(validator.is_valid(&document));
        let fixes = document["fixes"].as_array().unwrap();
        assert_eq!(fixes.len(), 6, "{}", ran.out);
        assert!(fixes.iter().all(|fix| fix["outcome"] == outcome));
        assert!(ran.err.contains("--- a/"), "the difference is shown beside the document: {}", ran.err);
    }
}

#[test]
fn only_named_files_are_touched_and_no_links_are_followed() {
    let only_root = folder();
    let ran = only_root.run(&[&FIX[..], &[ROOT]].concat());
    assert_eq!(ran.code, 1, "the port's mistake is left: {}", ran.page());
    assert!(ran.err.contains("ports/orders.json:1:57: not mended"), "{}", ran.err);
    assert_eq!(text(&only_root, "ports/orders.json"), PORT);
    assert_ne!(text(&only_root, ROOT), WRONG);

    let linked = folder();
    fs::rename(linked.path().join(ROOT), linked.path().join("real.yaml")).unwrap();
    symlink("real.yaml", linked.path().join(ROOT)).unwrap();
    assert_eq!(linked.run(&FIX).code, 1);
    assert_eq!(text(&linked, "real.yaml"), WRONG);
    assert!(linked.path().join(ROOT).is_symlink());

    let locked = folder();
    fs::set_permissions(locked.path().join(ROOT), fs::Permissions::from_mode(0o444)).unwrap();
    let ran = locked.run(&FIX);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("read-only"), "{}", ran.err);
    assert_eq!(text(&locked, ROOT), WRONG);
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!(names(locked.path()), 2, "nothing is left beside them");
}

#[test]
fn a_dry_run_is_one_of_fixing() {
    assert_eq!(folder().run(&["validate", "--dry-run"]).code, 64);
}
