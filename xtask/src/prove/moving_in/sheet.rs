//! A file that is written row by row, with one row in so many spoiled, and what must become of each of those remembered.

use super::damage::{BROKEN_BYTES, Damage, Fate, STRAY_QUOTE};
use crate::failure::{During, Result};
use crate::prove::chance::Chance;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The cells of a row, by the names of their columns.
#[derive(Clone, Debug)]
pub struct Cells {
    header: &'static [&'static str],
    /// What stands in them; fewer than the header has where some were lost.
    pub values: Vec<String>,
}

impl Cells {
    /// Cells in the order of the header.
    pub fn new(header: &'static [&'static str], values: Vec<String>) -> Self {
        Self { header, values }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| *name == column)
    }

    /// What a column says; nothing when it is empty or missing.
    pub fn get(&self, column: &str) -> &str {
        let value = self.place(column).and_then(|place| self.values.get(place));
        value.map(String::as_str).unwrap_or_default()
    }

    /// Writes into a column.
    pub fn set(&mut self, column: &str, text: impl Into<String>) {
        if let Some(value) = self
            .place(column)
            .and_then(|place| self.values.get_mut(place))
        {
            *value = text.into();
        }
    }
}

/// A reference of a row to something that is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The file's name.
    pub file: String,
    /// The line.
    pub line: u64,
    /// What it would tell.
    pub kind: String,
    /// What it names.
    pub wanted: String,
}

/// A file that is written.
pub struct Sheet {
    /// Where it is.
    pub path: PathBuf,
    /// Rows so far.
    pub rows: u64,
    /// Of those, spoiled ones.
    pub spoiled: u64,
    /// Lines that must stand in the file of rejects, with their codes.
    pub rejects: Vec<(u64, String)>,
    /// Of those, rows that come in all the same, but for a detail.
    pub left_out: u64,
    header: &'static [&'static str],
    writer: csv::Writer<File>,
    damages: &'static [Damage],
    one_in: u64,
    next: usize,
    chance: Chance,
    last_sound: Option<Cells>,
}

impl Sheet {
    /// Begins a file in a directory. One row in so many is spoiled, in one way after the other.
    pub fn new(
        directory: &Path,
        name: &str,
        header: &'static [&'static str],
        damages: &'static [Damage],
        one_in: u64,
        seed: u64,
    ) -> Result<Self> {
        let path = directory.join(name);
        let file = File::create(&path).during(path.display())?;
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
        writer.write_record(header)?;
        Ok(Self {
            path,
            rows: 0,
            spoiled: 0,
            rejects: Vec::new(),
            left_out: 0,
            header,
            writer,
            damages,
            one_in,
            next: 0,
            chance: Chance::new(seed),
            last_sound: None,
        })
    }

    /// The columns as fields of the same names, but for those that are called otherwise there.
    pub fn map(&self, renamed: &[(&str, &str)]) -> String {
        let pairs = self.header.iter().map(|column| {
            let field = renamed.iter().find(|(_, of)| of == column);
            format!("{}={column}", field.map_or(*column, |(field, _)| field))
        });
        pairs.collect::<Vec<_>>().join(",")
    }

    /// Writes a row, spoiled or not; gives its line, the cells as they stand there, and what must become of it.
    pub fn put(&mut self, mut cells: Cells) -> Result<(u64, Cells, Fate)> {
        let fate = self.spoil(&mut cells);
        self.rows += 1;
        // The header is the first line, and no cell has a line break.
        let line = self.rows + 1;
        match &fate {
            Fate::Sound => self.last_sound = Some(cells.clone()),
            Fate::Rejected(code) => self.rejects.push((line, (*code).to_owned())),
            Fate::LeftOut(code) => {
                self.rejects.push((line, (*code).to_owned()));
                self.left_out += 1;
            }
            Fate::Waits(..) => {}
        }
        self.write(&cells)?;
        Ok((line, cells, fate))
    }

    fn spoil(&mut self, cells: &mut Cells) -> Fate {
        if !self.chance.once_in(self.one_in) {
            return Fate::Sound;
        }
        // Not every row can be spoiled in every way.
        for _ in 0..self.damages.len() {
            let damage = self.damages.get(self.next);
            self.next = (self.next + 1) % self.damages.len().max(1);
            let mut spoiled = cells.clone();
            let fate =
                damage.and_then(|damage| damage(&mut spoiled, self.last_sound.as_ref(), self.rows));
            if let Some(fate) = fate {
                *cells = spoiled;
                self.spoiled += 1;
                return fate;
            }
        }
        Fate::Sound
    }

    fn write(&mut self, cells: &Cells) -> Result<()> {
        let is_raw = |text: &String| text.contains([BROKEN_BYTES, STRAY_QUOTE]);
        if !cells.values.iter().any(is_raw) {
            return Ok(self.writer.write_record(&cells.values)?);
        }
        // What no writer of CSV would write.
        let mut one = csv::Writer::from_writer(Vec::new());
        one.write_record(&cells.values)?;
        let text = String::from_utf8(one.into_inner().map_err(csv::IntoInnerError::into_error)?)?;
        let text = text.replace(STRAY_QUOTE, "\"ab\"c");
        let mut mark = [0; 4];
        let mark: &str = BROKEN_BYTES.encode_utf8(&mut mark);
        let parts: Vec<&[u8]> = text.split(mark).map(str::as_bytes).collect();
        self.writer.flush()?;
        self.writer
            .get_ref()
            .write_all(&parts.join(&b"\xff\xfe"[..]))?;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(&mut self) -> Result<()> {
        Ok(self.writer.flush()?)
    }
}
