//! Holds the committed picture to the entities, and the picture to what it promises.

use super::draw;
use super::groups::{self, GROUPS, Group};
use super::layout::{self, COLUMNS, Plan};
use super::lines::{self, Routes};
use super::read::{self, Column, Source};
use super::{PICTURE, check, picture, root, sources};
use std::collections::BTreeSet;

const SHOP: &str = r#"
    //! A shop.
    use crate::ids::ShopId;
    /// A shop (rule X1).
    #[derive(DeriveEntityModel)]
    #[sea_orm(table_name = "shop")]
    pub struct Model {
        /// The key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ShopId,
        /// The name.
        pub name: String,
    }
"#;

const TILL: &str = r#"
    use crate::{enums::TillState, ids::{ShopId, TillId}};
    /// A till <in a shop>.
    #[sea_orm(table_name = "till")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TillId,
        pub shop_id: Option<ShopId>,
        pub beside: Option<TillId>,
        #[sea_orm(column_name = "state_word")]
        pub state: TillState,
        pub r#type: Option<Vec<u8>>,
    }
"#;

const TWO: &[Group] = &[Group {
    title: "Shops & tills",
    tables: &["shop", "till"],
}];

fn source(file: &str, text: &str) -> Source {
    Source {
        file: file.to_owned(),
        text: text.to_owned(),
    }
}

fn words(outcome: crate::failure::Result<impl Sized>) -> String {
    outcome.err().expect("it fails").to_string()
}

fn real() -> (Plan, Routes) {
    let tables = read::tables(&sources(&root()).unwrap()).unwrap();
    let plan = layout::plan(&groups::gather(tables, GROUPS).unwrap());
    let routes = lines::lead(&plan);
    (plan, routes)
}

#[test]
fn the_committed_picture_is_what_the_entities_give() {
    let picture = picture(&sources(&root()).unwrap(), GROUPS).unwrap();
    check(&root().join(PICTURE), &picture).unwrap();
}

#[test]
fn an_old_or_missing_picture_is_told_with_advice() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data-model.svg");
    let missing = words(check(&path, "new"));
    assert!(missing.contains("cargo xtask data-model"), "{missing}");
    std::fs::write(&path, "old").unwrap();
    let old = words(check(&path, "new"));
    assert!(old.contains("cargo xtask data-model"), "{old}");
    std::fs::write(&path, "new").unwrap();
    check(&path, "new").unwrap();
}

#[test]
fn every_file_with_a_table_is_in_the_picture() {
    let files: BTreeSet<String> = sources(&root())
        .unwrap()
        .into_iter()
        .filter(|source| source.text.contains("DeriveEntityModel"))
        .map(|source| source.file)
        .collect();
    let drawn: BTreeSet<String> = real()
        .0
        .boxes
        .iter()
        .map(|b| b.table.file.clone())
        .collect();
    assert_eq!(files, drawn);
    assert!(drawn.len() > 40);
}

#[test]
fn columns_say_what_they_are() {
    let tables = read::tables(&[source("till.rs", TILL), source("shop.rs", SHOP)]).unwrap();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["shop", "till"]);
    assert_eq!(tables[0].about, "A shop (rule X1)");
    let column = |name: &str, kind: &str, key: bool, nullable: bool, refers: Option<&str>| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        key,
        nullable,
        refers: refers.map(str::to_owned),
    };
    assert_eq!(
        tables[1].columns,
        [
            column("id", "uuid", true, false, None),
            column("shop_id", "uuid", false, true, Some("shop")),
            column("beside", "uuid", false, true, Some("till")),
            column("state_word", "TillState", false, false, None),
            column("type", "bytes", false, true, None),
        ]
    );
}

#[test]
fn a_new_table_appears_with_its_lines() {
    let alone = [Group {
        title: "Shops & tills",
        tables: &["shop"],
    }];
    let before = picture(&[source("shop.rs", SHOP)], &alone).unwrap();
    assert!(!before.contains("till:"), "{before}");
    let after = picture(&[source("shop.rs", SHOP), source("till.rs", TILL)], TWO).unwrap();
    assert!(after.contains("<title>till: A till &lt;in a shop&gt;</title>"));
    assert!(after.contains("→ shop?") && after.contains("→ till?"));
    assert!(after.contains("Shops &amp; tills: shop; till (to shop, till)."));
    // One arrow to the shop, one to the till itself.
    assert_eq!(after.matches("Z\"/>").count(), 2, "{after}");
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let there = picture(&[source("shop.rs", SHOP), source("till.rs", TILL)], TWO).unwrap();
    let back = picture(&[source("till.rs", TILL), source("shop.rs", SHOP)], TWO).unwrap();
    assert_eq!(there, back);
}

#[test]
fn what_somebody_must_decide_fails_with_advice() {
    let alone = words(picture(
        &[source("shop.rs", SHOP), source("till.rs", TILL)],
        &[Group {
            title: "Shops",
            tables: &["shop"],
        }],
    ));
    assert!(
        alone.contains("`till` (entity/src/till.rs) is in no group"),
        "{alone}"
    );
    assert!(alone.contains("groups.rs"), "{alone}");

    let gone = words(picture(&[source("shop.rs", SHOP)], TWO));
    assert!(
        gone.contains("names the table `till`, which no entity has"),
        "{gone}"
    );

    let nowhere = words(picture(&[source("till.rs", TILL)], TWO));
    assert!(
        nowhere.contains("`shop_id` is a ShopId, and no table"),
        "{nowhere}"
    );

    let odd = SHOP.replace("name: String", "name: Option<Rational>");
    let odd = words(picture(&[source("shop.rs", &odd)], TWO));
    assert!(odd.contains("entity/src/shop.rs: column `name`"), "{odd}");
    assert!(odd.contains("no word for Rational"), "{odd}");

    let nameless = SHOP.replace("#[sea_orm(table_name = \"shop\")]", "");
    let nameless = words(picture(&[source("shop.rs", &nameless)], TWO));
    assert!(nameless.contains("table_name"), "{nameless}");
}

#[test]
fn every_reference_is_led_from_its_row_to_its_table() {
    let (plan, routes) = real();
    assert!(plan.references.len() > 60);
    for reference in &plan.references {
        let (from, to) = (&plan.boxes[reference.source], &plan.boxes[reference.target]);
        let stubs = |at, arrives, y: &dyn Fn(usize) -> i32| -> Vec<usize> {
            let stubs = routes.stubs.iter();
            stubs
                .filter(|s| s.target == reference.target && s.at == at && s.arrives == arrives)
                .filter(|s| s.y == y(s.gutter))
                .map(|s| s.gutter)
                .collect()
        };
        let leaving = stubs(reference.source, false, &|gutter| {
            from.row(reference.row, gutter)
        });
        let arriving = stubs(reference.target, true, &|gutter| to.head(gutter));
        let [gutter] = leaving[..] else {
            panic!("{} leaves by {leaving:?}", from.table.name);
        };
        // Either the same upright line arrives, or one at the other side of a crossing.
        let arrives = arriving.contains(&gutter)
            || routes.crossings.iter().any(|crossing| {
                let ends = [crossing.gutter, crossing.gutter + 1];
                crossing.target == reference.target
                    && ends.contains(&gutter)
                    && ends.iter().any(|end| arriving.contains(end))
                    && ends.iter().all(|end| {
                        let trunk = routes.trunk(reference.target, *end).unwrap();
                        (trunk.from..=trunk.to).contains(&crossing.y)
                    })
            });
        assert!(arrives, "{} to {}", from.table.name, to.table.name);
        let trunk = routes.trunk(reference.target, gutter).unwrap();
        assert!((trunk.from..=trunk.to).contains(&from.row(reference.row, gutter)));
    }
}

#[test]
fn no_line_runs_over_a_word_or_along_another() {
    let (plan, routes) = real();
    for crossing in &routes.crossings {
        let within = plan
            .bands
            .iter()
            .any(|band| (band.top..=band.top + band.height).contains(&crossing.y));
        assert!(!within, "{crossing:?} runs through a band");
    }
    for (index, trunk) in routes.trunks.iter().enumerate() {
        assert!(trunk.gutter <= COLUMNS);
        let meets = routes.trunks.iter().skip(index + 1).find(|other| {
            other.gutter == trunk.gutter
                && other.track == trunk.track
                && other.from <= trunk.to
                && trunk.from <= other.to
        });
        assert_eq!(meets, None, "lies on {trunk:?}");
        let room = routes.gutters[trunk.gutter];
        assert!(layout::TRACK * (layout::small(trunk.track) + 2) < room);
    }
    for (index, stub) in routes.stubs.iter().enumerate() {
        let meets = routes.stubs.iter().skip(index + 1).find(|other| {
            (other.gutter, other.y) == (stub.gutter, stub.y) && other.target != stub.target
        });
        assert_eq!(meets, None, "lies on {stub:?}");
    }
    for (index, one) in plan.boxes.iter().enumerate() {
        let below = plan.boxes.iter().skip(index + 1).find(|other| {
            other.column == one.column
                && other.top < one.top + one.height()
                && one.top < other.top + other.height()
        });
        assert!(below.is_none(), "{} lies on another", one.table.name);
        for column in &one.table.columns {
            let letters = column.name.chars().count() + layout::right_word(column).chars().count();
            let words = layout::small(letters) * layout::LETTER_TENTHS / 10;
            assert!(words + 2 * layout::PADDING < plan.width, "{}", column.name);
        }
    }
}

#[test]
fn the_picture_is_read_out_and_has_its_own_background() {
    let (plan, routes) = real();
    let svg = draw::svg(&plan, &routes);
    assert!(svg.contains("role=\"img\" aria-labelledby=\"title desc\""));
    for placed in &plan.boxes {
        let name = &placed.table.name;
        assert!(svg.contains(&format!("<title>{name}: ")), "{name}");
    }
    let background = svg.find("fill=\"#ffffff\"/>").unwrap();
    assert!(background < svg.find("<path").unwrap());
}
