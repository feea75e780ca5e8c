//! Compiles the prelude once for all: each realm of each worker used to do it when it started, for most of the time of a start.

#![allow(clippy::print_stdout, reason = "build scripts tell cargo on standard output what they depend on")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use rquickjs::{CatchResultExt, Context, Module, Runtime, WriteOptions, WriteOptionsEndianness};

const PRELUDE: &str = "src/prelude";

/// Writes the bytecode of each file and `prelude.rs`, a list of `("prelude/NAME.js", bytes)`.
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PRELUDE}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files: Vec<PathBuf> =
        fs::read_dir(PRELUDE)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let runtime = Runtime::new()?;
    let context = Context::full(&runtime)?;
    let mut list = String::from("&[\n");
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "js")) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("prelude/{stem}.js");
        let compiled = compile(&context, &name, &as_module(file)?)?;
        fs::write(out.join(format!("{stem}.bytecode")), compiled)?;
        let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{stem}.bytecode\")) as &[u8]");
        writeln!(list, "    (\"{name}\", {bytes}),")?;
    }
    list.push_str("]\n");
    fs::write(out.join("prelude.rs"), list)?;
    Ok(())
}

/// A file is one expression behind comments; as a module it exports that. No line changes its number.
fn as_module(file: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| !line.starts_with("//"));
    let first = first.filter(|at| lines[*at].starts_with('('));
    let first = first.ok_or_else(|| format!("{} does not begin with comments and then '('", file.display()))?;
    let (comments, expression) = lines.split_at(first);
    Ok(format!("{}\nexport default {}\n", comments.join("\n"), expression.join("\n"))
        .trim_start_matches('\n')
        .to_owned())
}

/// The bytecode of a module, for the machine that it is built for.
fn compile(context: &Context, name: &str, source: &str) -> Result<Vec<u8>, String> {
    let big = env::var("CARGO_CFG_TARGET_ENDIAN").is_ok_and(|endian| endian == "big");
    let endianness = if big { WriteOptionsEndianness::Big } else { WriteOptionsEndianness::Little };
    context.with(|ctx| {
        let module = Module::declare(ctx.clone(), name, source);
        let written = module.and_then(|module| module.write(WriteOptions { endianness, ..WriteOptions::default() }));
        written.catch(&ctx).map_err(|error| error.to_string())
    })
}
