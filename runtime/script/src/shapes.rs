//! Things made once for each list of property names that messages repeat.

use std::hash::{Hash, Hasher};

use rquickjs::Result;
use rustc_hash::{FxHashMap, FxHasher};

use flotilla_value::Str;

/// Names that are remembered, in all lists together: what is made for them takes some 500 bytes a name at most.
const KEPT: usize = 16_384;

/// What was made for lists of property names, by their hash: nothing at the first sight of a list.
pub(super) struct Shapes<T> {
    shapes: FxHashMap<u64, Shape<T>>,
    names: usize,
}

struct Shape<T> {
    names: Vec<Str>,
    made: Option<T>,
    plain: bool,
}

impl<T> Default for Shapes<T> {
    fn default() -> Shapes<T> {
        Shapes { shapes: FxHashMap::default(), names: 0 }
    }
}

impl<T: Clone> Shapes<T> {
    /// What belongs to these names, made when they come for the second time; `None` before that, and for names that an
    /// assignment would not make an ordinary property in its place.
    pub(super) fn of<'n>(
        &mut self,
        names: impl ExactSizeIterator<Item = &'n Str> + Clone,
        make: impl FnOnce(&[Str]) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut hasher = FxHasher::default();
        names.clone().for_each(|name| name.as_str().hash(&mut hasher));
        let hash = hasher.finish();
        if let Some(shape) = self.shapes.get_mut(&hash) {
            if !shape.plain || shape.names.len() != names.len() || !shape.names.iter().eq(names) {
                return Ok(None);
            }
            if shape.made.is_none() {
                shape.made = Some(make(&shape.names)?);
            }
            return Ok(shape.made.clone());
        }
        self.names += names.len();
        if self.names > KEPT {
            self.shapes.clear();
            self.names = names.len();
        }
        let plain = names.clone().all(|name| is_plain(name));
        self.shapes.insert(hash, Shape { names: names.cloned().collect(), made: None, plain });
        Ok(None)
    }
}

/// True when an assignment makes this name an ordinary property in its place.
fn is_plain(name: &str) -> bool {
    name != "__proto__" && !name.as_bytes().first().is_none_or(u8::is_ascii_digit)
}
