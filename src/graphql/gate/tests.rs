//! The gate as a whole: what it lets through, what it refuses, and how fast.

mod hostile;

use serde_json::{Map, Value, json};

use super::*;

const SDL: &str = include_str!("testdata/schema.graphql");

fn gate() -> Gate {
    gate_with(Limits::default())
}

fn gate_with(limits: Limits) -> Gate {
    Gate::new(SDL, limits).expect("the test schema is valid")
}

fn admit(gate: &Gate, query: &str) -> Result<Admitted, Refusal> {
    gate.admit(query, None, &Map::new())
}

fn cost(query: &str, variables: Value) -> u64 {
    let Value::Object(variables) = variables else {
        panic!("variables are an object");
    };
    gate()
        .admit(query, None, &variables)
        .unwrap_or_else(|refusal| panic!("{query}: {refusal:?}"))
        .cost
}

fn refused(gate: &Gate, query: &str) -> (&'static str, String) {
    match admit(gate, query) {
        Ok(_) => panic!("admitted: {}", &query[..query.len().min(200)]),
        Err(refusal) => (refusal.code(), refusal.errors[0].message.clone()),
    }
}

/// Descriptions of operations are younger than the parser here; a nullable variable for a one-of field is refused by
/// the specification of 2025, but not by graphql-js 16.
const KNOWN_DIFFERENCES: [&str; 2] = [
    "\"description\" query Q{hello}",
    "query($i:ID){pick(by:{id:$i}){id}}",
];

/// Verdicts of graphql-js 16.15 on these documents; see `docs/adr/0003-the-gate.md` for the differences that remain.
#[test]
fn agrees_with_the_reference_implementation() {
    let gate = gate();
    let mut differences = Vec::new();
    let mut checked = 0;
    for line in include_str!("testdata/verdicts.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let query = row["query"].as_str().unwrap();
        let variables = row["variables"].as_object().cloned().unwrap_or_default();
        let verdict = match gate.admit(query, row["operationName"].as_str(), &variables) {
            Ok(_) => "accepted",
            Err(refusal) => match refusal.code() {
                PARSE_FAILED => "syntax",
                VALIDATION_FAILED => "validation",
                OPERATION_RESOLUTION_FAILURE => "operation",
                BAD_USER_INPUT => "variables",
                _ => "limit",
            },
        };
        checked += 1;
        if verdict != row["verdict"] && !KNOWN_DIFFERENCES.contains(&query) {
            differences.push(format!(
                "{query} {variables:?}: {} here {verdict}",
                row["verdict"]
            ));
        }
    }
    assert!(checked > 200);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_refusal_has_a_code_and_syntax_errors_have_places() {
    let gate = gate();
    for query in ["{\"a\":1}", "{", "{hello(name:)}"] {
        let refusal = admit(&gate, query).unwrap_err();
        assert!(refusal.errors[0].locations[0].line >= 1, "{refusal:?}");
        assert!(refusal.errors.len() <= 20);
    }
    let many = format!("{{{}}}", "nope ".repeat(25));
    assert_eq!(admit(&gate, &many).unwrap_err().errors.len(), 20);
    let refusal = admit(&gate, "query($a:Int!)\n{sum(values:[$a])}").unwrap_err();
    assert_eq!(
        refusal.errors[0].locations,
        [Location { line: 1, column: 7 }]
    );
}

#[test]
fn decimals_are_strings() {
    let gate = gate();
    let (code, message) = refused(&gate, "{price(amount:1.5)}");
    assert_eq!(code, VALIDATION_FAILED);
    assert!(message.contains("must be written as a string"), "{message}");
    assert!(
        admit(
            &gate,
            "{customers(filter:{and:[{spent:\"1\"}]}){totalCount}}"
        )
        .is_ok()
    );
    assert!(admit(&gate, "{customers(filter:{and:[{spent:1}]}){totalCount}}").is_err());
    assert!(admit(&gate, "query($a:Decimal=1){price(amount:$a)}").is_err());
    let query = "query($f:CustomerFilter){customers(filter:$f){totalCount}}";
    let variables = json!({"f":{"and":[{"spent":0.1}]}});
    let refusal = gate
        .admit(query, None, variables.as_object().unwrap())
        .unwrap_err();
    assert_eq!(
        refusal.errors[0].message,
        "variable `$f.and[0].spent`: a value of type `Decimal` must be given as a string, not as a fractional number"
    );
    let variables = json!({"f":{"and":[{"spent":"0.1"}]}});
    assert!(
        gate.admit(query, None, variables.as_object().unwrap())
            .is_ok()
    );
}

#[test]
fn variables_are_coerced_and_defaults_filled_in() {
    let query = "query($i:ID! $n:Int=5 $v:[Int!]! $f:CustomerFilter $x:String)\
        {customer(id:$i){visits(first:$n){pageInfo{endCursor}}} sum(values:$v) customers(filter:$f){totalCount} hello(name:$x)}";
    let variables = json!({"i":7,"v":3.0,"f":{"kinds":"LARGE"},"unknown":[]});
    let admitted = gate()
        .admit(query, None, variables.as_object().unwrap())
        .unwrap();
    let coerced = serde_json::to_value(&admitted.request.variables).unwrap();
    assert_eq!(
        coerced,
        json!({"i":"7","n":5,"v":[3],"f":{"kinds":["LARGE"],"least":3}})
    );
}

#[test]
fn costs_follow_the_formula() {
    assert_eq!(cost("{hello}", json!({})), 1);
    assert_eq!(cost("{__typename}", json!({})), 0);
    assert_eq!(cost("{customer(id:1){id name}}", json!({})), 1);
    assert_eq!(cost("{customers{nodes{id}}}", json!({})), 1 + 20);
    assert_eq!(cost("{recent{nodes{id}}}", json!({})), 1 + 5);
    assert_eq!(
        cost(
            "{customers(first:50){edges{node{id}} pageInfo{endCursor}}}",
            json!({})
        ),
        51
    );
    assert_eq!(
        cost("{customers(last:50){nodes{friend{id}}}}", json!({})),
        1 + 50 * 2
    );
    assert_eq!(
        cost("{customers(first:10){nodes{cards{id}}}}", json!({})),
        1 + 10 * (1 + 10)
    );
    assert_eq!(
        cost(
            "{customers(first:20){nodes{cards{id} visits(first:5){edges{node{lines{text}}}}}}}",
            json!({})
        ),
        1 + 20 * (1 + 10 + 1 + 5 * (1 + 10))
    );
    let query = "query($n:Int $i:[ID!]!){customers(first:$n){...F} nodes(ids:$i){id}} fragment F on CustomerConnection{nodes{...G}} fragment G on Customer{friend{id}}";
    assert_eq!(cost(query, json!({"n":10,"i":["a","b"]})), 1 + 10 * 2 + 2);
    assert_eq!(cost(query, json!({"n":100,"i":[]})), 1 + 100 * 2);
    assert_eq!(cost(query, json!({"i":[]})), 1 + 20 * 2);
    assert_eq!(cost("mutation{a:reset b:reset}", json!({})), 20);
    assert_eq!(cost("mutation{bump(input:{by:1}){value}}", json!({})), 10);
}

#[test]
fn overrides_change_single_fields() {
    let key = |field: &str| ("Customer".to_owned(), field.to_owned());
    let overrides = Overrides {
        list_sizes: [(key("cards"), 2)].into(),
        field_costs: [(key("friend"), 50)].into(),
    };
    let gate = Gate::with_rules(SDL, Limits::default(), &overrides, ValueRules::default()).unwrap();
    let admitted = admit(&gate, "{customer(id:1){cards{id} friend{id}}}").unwrap();
    assert_eq!(admitted.cost, 1 + 2 + 50);
}

#[test]
fn each_limit_is_named_with_bound_and_value() {
    let limits = Limits {
        depth: 3,
        aliases: 2,
        directives: 2,
        root_fields: 4,
        fragments: 1,
        operations: 2,
        selections: 12,
        variables: 1,
        cost: 100,
        variable_depth: 2,
        variable_values: 5,
        ..Limits::default()
    };
    let gate = gate_with(limits);
    let deep = json!({"j":[[[1]]]});
    let wide = json!({"j":[1,2,3,4,5]});
    for (query, variables, message) in [
        (
            "{customer(id:1){friend{friend{id}}}}",
            json!({}),
            "the request's depth is 4, the limit is 3",
        ),
        (
            "{a:hello b:hello c:hello}",
            json!({}),
            "the request's number of aliases is 3, the limit is 2",
        ),
        (
            "{hello @skip(if:true) ...F @skip(if:true)} fragment F on Query{hello @skip(if:true)}",
            json!({}),
            "the request's number of directives is 3, the limit is 2",
        ),
        (
            "{hello hello hello hello hello}",
            json!({}),
            "the request's number of root fields is 5, the limit is 4",
        ),
        (
            "{...F ...F ...F} fragment F on Query{hello hello}",
            json!({}),
            "the request's number of root fields is 6, the limit is 4",
        ),
        (
            "{...F} fragment F on Query{hello} fragment G on Query{hello}",
            json!({}),
            "the request's number of fragments is 2, the limit is 1",
        ),
        (
            "query A{hello} query B{hello} query C{hello}",
            json!({}),
            "the request's number of operations is 3, the limit is 2",
        ),
        (
            "{customer(id:1){id id id id id id id id id id id id}}",
            json!({}),
            "the request's number of selections is 13, the limit is 12",
        ),
        (
            "query($a:Int $b:Int){hello}",
            json!({}),
            "the request's number of variables is 2, the limit is 1",
        ),
        (
            "{customers(first:100){nodes{id}}}",
            json!({}),
            "the request's cost is 101, the limit is 100",
        ),
        (
            "query($n:Int){customers(first:$n){nodes{id}}}",
            json!({"n":101}),
            "the request's page size (`first`) is 101, the limit is 100",
        ),
        (
            "{customers(last:1000){nodes{id}}}",
            json!({}),
            "the request's page size (`last`) is 1000, the limit is 100",
        ),
        (
            "query($j:JSON){anything(json:$j)}",
            deep,
            "the request's depth of the variables is 3, the limit is 2",
        ),
        (
            "query($j:JSON){anything(json:$j)}",
            wide,
            "the request's number of values in the variables is 6, the limit is 5",
        ),
    ] {
        let refusal = gate
            .admit(query, None, variables.as_object().unwrap())
            .unwrap_err();
        assert_eq!(refusal.errors[0].message, message, "{query}");
        assert_eq!(refusal.code(), TOO_COSTLY, "{query}");
    }
}

/// The tools' own introspection documents, as deep as they come.
#[test]
fn introspection_of_every_tool_passes() {
    let gate = gate();
    let of_type = "ofType{kind name ".repeat(13) + &"}".repeat(13);
    for query in [
        format!(
            "query IntrospectionQuery{{__schema{{description queryType{{name}} mutationType{{name}} subscriptionType{{name}} \
             types{{...FullType}} directives{{name description isRepeatable locations args(includeDeprecated:true){{...InputValue}}}}}}}} \
             fragment FullType on __Type{{kind name description specifiedByURL fields(includeDeprecated:true){{name description \
             args(includeDeprecated:true){{...InputValue}} type{{...TypeRef}} isDeprecated deprecationReason}} \
             inputFields(includeDeprecated:true){{...InputValue}} interfaces{{...TypeRef}} enumValues(includeDeprecated:true){{name description \
             isDeprecated deprecationReason}} possibleTypes{{...TypeRef}}}} \
             fragment InputValue on __InputValue{{name description type{{...TypeRef}} defaultValue isDeprecated deprecationReason}} \
             fragment TypeRef on __Type{{kind name {of_type}}}"
        ),
        "{__schema{types{name fields{name type{name}}}}}".to_owned(),
        "{__type(name:\"Customer\"){fields{type{fields{name}}}}}".to_owned(),
    ] {
        let admitted = admit(&gate, &query).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        assert!(admitted.cost < 5_000, "{}", admitted.cost);
    }
    let bomb = "{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}";
    assert_eq!(refused(&gate, bomb).0, TOO_COSTLY);
    let closed = gate_with(Limits {
        introspection: false,
        ..Limits::default()
    });
    assert_eq!(
        refused(&closed, "{__schema{types{name}}}").1,
        "introspection is switched off"
    );
    assert!(admit(&closed, "{__typename}").is_ok());
}

/// Looking a document up costs a small part of checking it.
#[test]
fn accepted_documents_are_remembered_and_refused_ones_are_not() {
    let gate = gate();
    for n in 0..10 {
        assert!(admit(&gate, &format!("{{nope{n}}}")).is_err());
    }
    gate.accepted.run_pending_tasks();
    assert_eq!(gate.accepted.entry_count(), 0);
    for _ in 0..10 {
        assert!(admit(&gate, "{hello}").is_ok());
    }
    gate.accepted.run_pending_tasks();
    assert_eq!(gate.accepted.entry_count(), 1);
    let small = gate_with(Limits {
        cache_bytes: 100_000,
        ..Limits::default()
    });
    for n in 0..1_000 {
        assert!(admit(&small, &format!("{{a{n}:hello}}")).is_ok());
    }
    small.accepted.run_pending_tasks();
    assert!(small.accepted.entry_count() < 100);
    assert!(small.accepted.weighted_size() <= 100_000);
}

#[test]
fn schemas_that_are_none_are_refused() {
    assert!(Gate::new("type Query{", Limits::default()).is_err());
    assert!(Gate::new("type Query{a:NoSuch}", Limits::default()).is_err());
}

proptest::proptest! {
    /// Whatever is sent, the gate answers.
    #[test]
    fn no_text_makes_the_gate_panic(
        text in "(\\{|\\}|\\(|\\)|\\[|\\]|hello|customer|id|name|\\.\\.\\.|on|fragment|query|F|:|\\$|a|1|-|\\.|\"|\"\"\"|\\\\|@skip|if|true|,|#|\n| |!|=|é|\u{FEFF}){0,60}"
    ) {
        let gate = gate();
        let _ = admit(&gate, &text);
    }
}
