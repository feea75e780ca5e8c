//! A CSV file whose columns payload templates use.

use std::path::Path;

/// A CSV file with a header line.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// A CSV file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not readable, or not CSV.
    #[error("cannot read the CSV file {path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        error: csv::Error,
    },
    /// It has a header at most.
    #[error("the CSV file {0} has no rows: it needs a header line and at least one row")]
    Empty(String),
}

impl Table {
    /// Reads a file whole; the first line names the columns.
    ///
    /// # Errors
    /// When it is not readable, malformed, or has no rows.
    pub fn read(path: &Path) -> Result<Table, TableError> {
        let bad = |error| TableError::Read { path: path.display().to_string(), error };
        let mut reader = csv::Reader::from_path(path).map_err(bad)?;
        let header = reader.headers().map_err(bad)?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(bad)?;
        if rows.is_empty() {
            return Err(TableError::Empty(path.display().to_string()));
        }
        Ok(Table { header, rows })
    }

    /// Where a column is.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The columns' names.
    pub fn columns(&self) -> String {
        self.header.join(", ")
    }

    /// A cell; rows begin anew after the last.
    pub fn cell(&self, row: u64, column: usize) -> &str {
        let rows = self.rows.len().max(1) as u64;
        self.rows.get((row % rows) as usize).and_then(|row| row.get(column)).unwrap_or_default()
    }
}
