//! Trees of files, walked.

use super::*;

/// A tree of files, each with its content.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (file, content) in files {
        let file = root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    root
}

fn find(path: &Path) -> Result<Vec<Capture>, ReplayError> {
    let mut found = Vec::new();
    let mut keep = |capture| {
        found.push(capture);
        Ok(())
    };
    walk(&[path.to_owned()], &Given::default(), &mut keep)?;
    Ok(found)
}

fn names(root: &Path, captures: &[Capture]) -> Vec<String> {
    let name = |capture: &Capture| match capture {
        Capture::Case(case) => case.name(),
        Capture::File(file) => file.name(),
    };
    let root = format!("{}/", root.display());
    captures.iter().map(|capture| name(capture).replace(&root, "")).collect()
}

fn rules(capture: &Capture) -> &Rules {
    match capture {
        Capture::Case(case) => &case.rules,
        Capture::File(file) => &file.rules,
    }
}

#[test]
fn captures_come_in_the_order_of_their_paths() {
    let root = tree(&[
        ("b/2/request.xml", ""),
        ("b/10/request.xml", ""),
        ("a/z/request.xml", ""),
        ("a/notes.txt", ""),
        ("a/compose.yml", "services: {}\n"),
        ("a/x.request.xml", ""),
        ("a/traffic.har", "{}"),
        ("a/ruby.yml", "---\nhttp_interactions:\n"),
        ("a/python.yaml", "interactions:\n- request: {}\n"),
    ]);
    let captures = find(root.path()).unwrap();
    let expected = ["a/python.yaml", "a/ruby.yml", "a/traffic.har", "a/x", "a/z", "b/10", "b/2"];
    assert_eq!(names(root.path(), &captures), expected);
}

#[test]
fn rules_of_folders_above_hold_from_the_seed_down() {
    let root = tree(&[
        ("replay.toml", "path = '/outside'"),
        ("catalogue/seed.toml", ""),
        ("catalogue/replay.toml", "path = '/root'\nstatus = 400"),
        ("catalogue/a/replay.toml", "path = '/a'"),
        ("catalogue/a/one/request.xml", ""),
        ("catalogue/a/two/request.xml", ""),
        ("catalogue/a/two/replay.toml", "path = '/two'"),
        ("catalogue/a/x.har", "{}"),
        ("catalogue/b/request.xml", ""),
    ]);
    let path = |below: &str| {
        let captures = find(&root.path().join(below)).unwrap();
        let paths = captures.iter().map(|capture| rules(capture).path().to_owned());
        (paths.collect::<Vec<_>>(), rules(&captures[0]).status.map(|status| status.0))
    };
    let all = ["/a", "/two", "/a", "/root"].map(str::to_owned).to_vec();
    assert_eq!(path("catalogue"), (all, Some(400)));
    assert_eq!(path("catalogue/a/one"), (vec!["/a".to_owned()], Some(400)));
    assert_eq!(path("catalogue/a/x.har"), (vec!["/a".to_owned()], Some(400)));
    assert_eq!(path("catalogue/a/two/request.xml"), (vec!["/two".to_owned()], Some(400)));
    assert_eq!(path("catalogue/b"), (vec!["/root".to_owned()], Some(400)));
}

#[test]
fn the_nearest_seed_counts() {
    let root = tree(&[("seed.toml", ""), ("a/seed.toml", ""), ("a/b/x", ""), ("c/x", "")]);
    let seed = |below: &str| seed_of(&[root.path().join(below)]).unwrap();
    let real = fs::canonicalize(root.path()).unwrap();
    assert_eq!(seed("a/b"), real.join("a/seed.toml"));
    assert_eq!(seed("c"), real.join("seed.toml"));
}

#[test]
fn what_is_no_capture_is_said_with_its_path() {
    let root = tree(&[
        ("empty/x", ""),
        ("half/response.xml", ""),
        ("lone/x.response.xml", ""),
        ("text.txt", "hello\n"),
    ]);
    for (below, expected) in [
        ("gone", "No such file"),
        ("text.txt", "expected a HAR"),
        ("empty", "expected a folder with a request.xml"),
        ("half", "there is a response.xml but no request.xml"),
        ("half/response.xml", "this is an answer"),
        ("lone", "there is no x.request.xml beside it"),
    ] {
        let path = root.path().join(below);
        let error = find(&path).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}
