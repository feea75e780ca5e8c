//! Functions cannot import modules by themselves: what `import()` finds would be an object that all nodes of a worker share. The
//! prelude's own files are modules of the realm, too, and are not to be had either.

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::{Declared, Module};
use rquickjs::{Ctx, Error, Result};

/// Finds no module of any name.
pub(super) struct NoModules;

const WHY: &str = "functions cannot import modules: use require";

impl Resolver for NoModules {
    fn resolve<'js>(
        &mut self,
        _ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        Err(Error::new_resolving_message(base, name, WHY))
    }
}

impl Loader for NoModules {
    fn load<'js>(
        &mut self,
        _ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        Err(Error::new_loading_message(name, WHY))
    }
}
