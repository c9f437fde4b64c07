//! Manifests as the generators write them, and what is said of those that are wrong.

use super::*;
use crate::app::gate;
use crate::config::Settings;
use serde_json::json;

/// Reads one file of this name and content.
fn found(name: &str, content: &str) -> (Vec<Candidate>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    let mut problems = Problems::default();
    let gate = gate(&Settings::default()).unwrap();
    let candidates = read(&gate, &[file], &mut problems);
    (candidates, problems.0)
}

#[track_caller]
fn only_problem(name: &str, content: &str) -> String {
    let (candidates, problems) = found(name, content);
    assert_eq!(candidates, []);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let problem = problems[0].clone();
    assert!(problem.contains(name), "{problem}");
    problem
}

fn apollo_manifest(id: &str, body: &str) -> String {
    json!({
        "format": APOLLO,
        "version": 1,
        "operations": [{ "id": id, "name": "Hello", "type": "query", "body": body }]
    })
    .to_string()
}

const BODY: &str = "query Hello {\n  viewer {\n    __typename\n  }\n}";

#[test]
fn a_manifest_of_apollo_is_read() {
    let hash = DocumentHash::of(BODY).to_string();
    let (candidates, problems) = found("m.json", &apollo_manifest(&hash, BODY));
    assert_eq!(problems, [""; 0]);
    assert_eq!(candidates[0].text, BODY);
    assert_eq!(candidates[0].label, "operation Hello");
    let told = candidates[0].told.as_ref().unwrap();
    assert_eq!((told.name.as_str(), told.kind.as_str()), ("Hello", "query"));
}

#[test]
fn an_id_that_is_not_the_hash_of_its_body_is_refused() {
    let other = DocumentHash::of("{ other }").to_string();
    let said = only_problem("m.json", &apollo_manifest(&other, BODY));
    assert!(
        said.contains("operation Hello") && said.contains("is not the SHA-256"),
        "{said}"
    );
    assert!(said.contains(&DocumentHash::of(BODY).to_string()), "{said}");
    let said = only_problem("m.json", &apollo_manifest("42", BODY));
    assert!(said.contains("is not the SHA-256"), "{said}");
}

#[test]
fn a_map_of_hashes_is_read_with_and_without_a_prefix() {
    let hash = DocumentHash::of(BODY).to_string();
    for key in [hash.clone(), format!("sha256:{hash}")] {
        let (candidates, problems) = found("m.json", &json!({ key: BODY }).to_string());
        assert_eq!(problems, [""; 0]);
        assert_eq!(candidates[0].text, BODY);
    }
    let md5 = only_problem("m.json", &json!({ "0".repeat(32): BODY }).to_string());
    assert!(md5.contains("algorithm: \"SHA256\""), "{md5}");
    let sha1 = only_problem("m.json", &json!({ "0".repeat(40): BODY }).to_string());
    assert!(sha1.contains("hashAlgorithm: \"sha256\""), "{sha1}");
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (content, said) in [
        ("", "is not JSON"),
        ("[]", "is no manifest"),
        ("{}", "names no operation"),
        ("{\"a\":1}", "is no manifest"),
        (
            "{\"format\":\"other\",\"version\":1,\"operations\":[]}",
            "only manifests",
        ),
        (
            "{\"format\":\"apollo-persisted-query-manifest\",\"version\":2,\"operations\":[]}",
            "only manifests",
        ),
        (
            "{\"format\":\"apollo-persisted-query-manifest\",\"version\":1,\"operations\":[]}",
            "names no operation",
        ),
        (
            "{\"format\":\"apollo-persisted-query-manifest\",\"version\":1,\"operations\":[{\"id\":\"a\"}]}",
            "operation 1: missing field",
        ),
    ] {
        let problem = only_problem("m.json", content);
        assert!(problem.contains(said), "{problem}");
    }
    let problem = only_problem("notes.txt", BODY);
    assert!(problem.contains("neither a manifest"), "{problem}");
}

#[test]
fn a_file_with_one_operation_is_taken_to_the_byte() {
    let text =
        "# the counter\nquery Hello { viewer { ...V } }\n\nfragment V on Viewer { __typename }\n";
    let (candidates, problems) = found("hello.graphql", text);
    assert_eq!(problems, [""; 0]);
    assert_eq!(candidates[0].text, text);
}

#[test]
fn a_file_with_several_operations_is_taken_apart() {
    let text = "# first\nquery A { viewer { ...Two ...One } }\nfragment One on Viewer { ...Below }\n\n\
                # second\nquery B { company { name } }\nfragment Below on Viewer { __typename }\n\
                fragment Two on Viewer { __typename }\nfragment Alone on Company { id }\n";
    let (candidates, problems) = found("two.gql", text);
    assert_eq!(problems, [""; 0]);
    let texts: Vec<&str> = candidates.iter().map(|found| found.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "query A { viewer { ...Two ...One } }\n\nfragment One on Viewer { ...Below }\n\n\
             fragment Below on Viewer { __typename }\n\nfragment Two on Viewer { __typename }",
            "query B { company { name } }",
        ]
    );
    let said = only_problem("broken.graphql", "query Hello { viewer");
    assert!(said.contains("line 1"), "{said}");
}

#[test]
fn a_folder_is_read_with_those_below_but_without_packages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (file, text) in [
        ("b.graphql", "{ b }"),
        ("a/a.gql", "{ a }"),
        ("a/tsconfig.json", "{}"),
        (".cache/c.graphql", "{ c }"),
        ("node_modules/x/d.graphql", "{ d }"),
    ] {
        fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
        fs::write(path.join(file), text).unwrap();
    }
    let mut problems = Problems::default();
    let gate = gate(&Settings::default()).unwrap();
    let read_in = |path: &Path, problems: &mut Problems| -> Vec<String> {
        let found = read(&gate, &[path.to_owned()], problems);
        found.into_iter().map(|found| found.text).collect()
    };
    assert_eq!(read_in(path, &mut problems), ["{ a }", "{ b }"]);
    assert_eq!(problems.0, [""; 0]);
    read_in(&path.join("a").join("nothing"), &mut problems);
    fs::create_dir(path.join("empty")).unwrap();
    read_in(&path.join("empty"), &mut problems);
    assert_eq!(problems.0.len(), 2, "{:?}", problems.0);
}
