//! What the proof rests on: files that are spoiled as they say, the same ones again from the same seed.

use super::damage::{self, BROKEN_BYTES, Damage, Fate};
use super::model::{self, Model, PURCHASE_COLUMNS};
use super::sheet::{Cells, Sheet};
use std::collections::BTreeSet;
use std::path::Path;

fn receipt(n: u64) -> Cells {
    let values = [
        &format!("C{n}"),
        "2024-03-05",
        "10:00:00",
        &format!("R{n}"),
        "SHA",
        "Tea, green",
        "1",
        "12.50",
        "CNY",
    ];
    Cells::new(PURCHASE_COLUMNS, values.map(str::to_owned).to_vec())
}

fn written(directory: &Path, damages: &'static [Damage], rows: u64) -> (Sheet, Model) {
    let mut model = Model::default();
    let mut sheet =
        Sheet::new(directory, "purchases.csv", PURCHASE_COLUMNS, damages, 4, 7).unwrap();
    for n in 0..rows {
        let row = sheet.put(receipt(n)).unwrap();
        model.purchase(row, "2024-03-05T02:00:00Z").unwrap();
    }
    sheet.finish().unwrap();
    (sheet, model)
}

#[test]
fn every_spoiled_row_is_noted_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let (sheet, model) = written(directory.path(), damage::PURCHASES, 400);
    assert!(
        sheet.spoiled > 60 && sheet.spoiled < 140,
        "{}",
        sheet.spoiled
    );
    assert_eq!(sheet.rejects.len() as u64, sheet.spoiled);
    let bytes = std::fs::read(&sheet.path).unwrap();
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // A line for the header, one for each row, and nothing after the last.
    assert_eq!(lines.len(), 402);
    for n in 0..400_u64 {
        let line = usize::try_from(n + 1).unwrap();
        let sound = format!("C{n},2024-03-05,10:00:00,R{n},SHA,\"Tea, green\",1,12.50,CNY");
        let is_noted = sheet.rejects.iter().any(|(at, _)| *at == n + 2);
        assert_eq!(lines[line] != sound.as_bytes(), is_noted, "line {line}");
    }
    assert_eq!(model.receipts, 400 - i64::try_from(sheet.spoiled).unwrap());
    assert_eq!(model.cents, model.receipts * 1250);
    // All ways come in their turn.
    let codes: BTreeSet<&str> = sheet
        .rejects
        .iter()
        .map(|(_, code)| code.as_str())
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    assert!(bytes.windows(2).any(|two| two == [0xff, 0xfe]));
    assert!(!String::from_utf8_lossy(&bytes).contains(BROKEN_BYTES));
}

#[test]
fn the_same_seed_spoils_the_same() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, _) = written(one.path(), damage::PURCHASES, 300);
    let (second, _) = written(other.path(), damage::PURCHASES, 300);
    assert_eq!(first.rejects, second.rejects);
    let read = |sheet: &Sheet| std::fs::read(&sheet.path).unwrap();
    assert_eq!(read(&first), read(&second));
}

/// Each damage makes another row of a sound one, or none.
#[test]
fn no_damage_leaves_a_row_as_it_was() {
    let of = |columns: &'static [&'static str], text: &dyn Fn(&str) -> String| {
        Cells::new(columns, columns.iter().map(|column| text(column)).collect())
    };
    for (columns, damages) in [
        (model::CUSTOMER_COLUMNS, damage::CUSTOMERS),
        (model::CARD_COLUMNS, damage::CARDS),
        (PURCHASE_COLUMNS, damage::PURCHASES),
        (model::PRODUCT_COLUMNS, damage::PRODUCTS),
        (model::STAFF_COLUMNS, damage::STAFF),
    ] {
        let last = of(columns, &|column| format!("last {column}"));
        let sound = of(columns, &|column| match column {
            "status" => "ACTIVE".to_owned(),
            "consent_care" => "GRANTED".to_owned(),
            column => format!("this {column}"),
        });
        let mut tried = 0;
        for damage in damages {
            let mut spoiled = sound.clone();
            match damage(&mut spoiled, Some(&last), 3) {
                Some(Fate::Sound) => panic!("a damage that is none"),
                Some(_) => {
                    tried += 1;
                    assert_ne!(spoiled.values, sound.values);
                }
                None => {}
            }
        }
        assert!(tried + 2 >= damages.len(), "{tried} of {}", damages.len());
    }
}

#[test]
fn a_line_counts_within_its_receipt() {
    let mut model = Model::default();
    for (receipt, amount) in [("R1", "1.00"), ("R1", "2.00"), ("R2", "-0.50")] {
        let mut cells = self::receipt(1);
        cells.set("receipt", receipt);
        cells.set("amount", amount);
        model.purchase((2, cells, Fate::Sound), "at").unwrap();
    }
    assert_eq!((model.receipts, model.cents), (2, 250));
    assert_eq!(model.paid["C1"], 250);
    let mut ends: Vec<&str> = model
        .lines
        .keys()
        .filter_map(|line| line.split('\t').nth(9))
        .collect();
    ends.sort_unstable();
    assert_eq!(ends, ["1", "1", "2"]);
}
