//! Services of a replica by their type: the HTTP server, the MQTT session keeper, ...

use std::any::{Any, TypeId};
use std::sync::Arc;

use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// One value per type. Node folders keep what all their nodes share here, so the engine need not know it.
#[derive(Default)]
pub struct Extensions {
    by_type: RwLock<FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Extensions {
    /// The value of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let found = self.by_type.read().get(&TypeId::of::<T>()).cloned()?;
        found.downcast().ok()
    }

    /// The value of this type, made on first use.
    pub fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(found) = self.get::<T>() {
            return found;
        }
        let mut by_type = self.by_type.write();
        let entry = by_type.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        drop(by_type);
        entry.downcast().unwrap_or_else(|_| unreachable!("the map is keyed by the type itself"))
    }

    /// Sets the value of this type.
    pub fn insert<T: Any + Send + Sync>(&self, value: Arc<T>) {
        self.by_type.write().insert(TypeId::of::<T>(), value);
    }
}
