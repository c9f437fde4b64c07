//! Documents made to hurt: refused fast, on a small stack.

use std::time::{Duration, Instant};

use super::{admit, gate};

/// Documents made to hurt, by name.
fn hostile() -> Vec<(&'static str, String)> {
    let mut doubling = "{customer(id:1){...F0}}".to_owned();
    for n in 0..30 {
        doubling += &format!(
            "fragment F{n} on Customer{{friend{{...F{0} ...F{0}}}}}",
            n + 1
        );
    }
    doubling += "fragment F30 on Customer{id}";
    let mut flat = "{...F0}".to_owned();
    for n in 0..60 {
        flat += &format!("fragment F{n} on Query{{...F{0} ...F{0}}}", n + 1);
    }
    flat += "fragment F60 on Query{hello}";
    let aliases = (0..10_000)
        .map(|n| format!("a{n}:hello "))
        .collect::<String>();
    let few_aliases = (0..1_200)
        .map(|n| format!("a{n}:hello "))
        .collect::<String>();
    let deep = |n: usize| format!("{}id{}", "{friend".repeat(n), "}".repeat(n));
    let chain: String = (0..99)
        .map(|n| {
            format!(
                "fragment F{n} on Customer{{...on Customer{{...on Customer{{...F{}}}}}}}",
                n + 1
            )
        })
        .collect();
    let same = "id ".repeat(4_000);
    let conflicts: String = (0..240)
        .map(|n| format!("x:customer(id:{n}){{id}}"))
        .collect();
    vec![
        ("fragments that double", doubling),
        ("fragments that double without fields", flat),
        (
            "fragments in a circle",
            "{...A} fragment A on Query{...B} fragment B on Query{...A}".to_owned(),
        ),
        (
            "a long chain of fragments",
            format!("{{customer(id:1){{...F0}}}}{chain}fragment F99 on Customer{{id}}"),
        ),
        ("10,000 aliases", format!("{{{aliases}}}")),
        ("1,200 aliases", format!("{{{few_aliases}}}")),
        (
            "20,000 levels",
            format!("{{customer(id:1){}}}", deep(20_000)),
        ),
        ("60 levels", format!("{{customer(id:1){}}}", deep(60))),
        (
            "20,000 lists",
            format!(
                "{{sum(values:{}1{})}}",
                "[".repeat(20_000),
                "]".repeat(20_000)
            ),
        ),
        (
            "20,000 objects",
            format!(
                "{{anything(json:{}1{})}}",
                "{a:".repeat(20_000),
                "}".repeat(20_000)
            ),
        ),
        (
            "20,000 type brackets",
            format!(
                "query($a:{}Int{}){{hello}}",
                "[".repeat(20_000),
                "]".repeat(20_000)
            ),
        ),
        ("open brackets only", "{".repeat(50_000)),
        (
            "800 directives",
            format!("{{hello {}}}", "@skip(if:true)".repeat(800)),
        ),
        ("conflicting fields", format!("{{{conflicts}}}")),
        ("1 MB of spaces", " ".repeat(1024 * 1024)),
        (
            "half a string",
            format!("{{hello(name:\"{}", "a".repeat(100_000)),
        ),
        ("quotes", "\"".repeat(100_000)),
        ("noise", "!$&=|@:%^~?'`\\".repeat(7_000)),
        ("unknown fields", format!("{{{}}}", "nope ".repeat(4_900))),
        (
            "accepted: 4,000 times one field",
            format!("{{customer(id:1){{{same}}}}}"),
        ),
        (
            "accepted: fields to merge",
            format!(
                "{{customer(id:1){{{}}}}}",
                "friend{friend{friend{id}}}".repeat(440)
            ),
        ),
        (
            "accepted: fragments to merge",
            format!(
                "{{customer(id:1){{{}}}}} {}",
                "...A ...B friend{...A ...B} ".repeat(40),
                "fragment A on Customer{friend{id friend{id name}}} fragment B on Customer{friend{friend{name id}}}"
            ),
        ),
        (
            "accepted: a long value",
            format!("{{anything(json:[{}])}}", "1 ".repeat(4_900)),
        ),
    ]
}

/// Runs on a thread with a small stack: no hostile document may come near overflowing it.
#[test]
fn hostile_documents_are_refused_fast_and_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    let test = || {
        let gate = gate();
        assert!(admit(&gate, "{hello}").is_ok());
        let mut slow = Vec::new();
        for (name, query) in hostile() {
            let took = (0..3)
                .map(|n| {
                    let query = format!("{query}{}", " ".repeat(n));
                    let started = Instant::now();
                    let verdict = admit(&gate, &query);
                    let took = started.elapsed();
                    if name.starts_with("accepted") {
                        assert!(verdict.is_ok(), "{name}: {verdict:?}");
                    } else {
                        assert!(verdict.is_err(), "{name} was admitted");
                    }
                    took
                })
                .min()
                .unwrap_or_default();
            println!("{took:>12.1?}  {:>8} bytes  {name}", query.len());
            // Generous for unoptimized builds and busy machines; the figures proper are in the ADR.
            if took > Duration::from_millis(100) {
                slow.push(format!("{name}: {took:?}"));
            }
        }
        assert!(slow.is_empty(), "{slow:?}");
    };
    small.spawn(test).unwrap().join().unwrap();
}

/// What an ordinary document costs the first time and from the cache; printed for the record.
#[test]
fn ordinary_documents_are_cheap_the_second_time() {
    let gate = gate();
    let query = "query($n:Int){customers(first:$n){edges{cursor node{id name cards{id number} \
        visits(first:5){edges{node{id lines{text price}}}}}} pageInfo{hasNextPage endCursor}}}";
    let started = Instant::now();
    assert!(admit(&gate, query).is_ok());
    let first = started.elapsed();
    let started = Instant::now();
    for _ in 0..1_000 {
        assert!(admit(&gate, query).is_ok());
    }
    let cached = started.elapsed() / 1_000;
    println!("first {first:?}, cached {cached:?}");
    assert!(cached * 2 < first, "first {first:?}, cached {cached:?}");
}
