//! Installs what a document names, and tells what runs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use flotilla_flows::{Document, Wanted, is_node_js, libs, wanted_modules};
use flotilla_runtime::compile::module_fault;

use super::args::{Command, InstallArgs, ModulesArgs};
use super::lock::{self, Package};
use super::{folder, npm};
use crate::exit::Exit;
use crate::flow_files::source;
use crate::plain::print;

/// Runs the subcommand. Exit code 1 when a module does not run here.
pub async fn run(args: ModulesArgs) -> anyhow::Result<ExitCode> {
    let Command::Install(args) = args.command;
    let document = Document::parse(&source(&args.flows)?).with_context(|| args.flows.display().to_string())?;
    let wanted = wanted_modules(&document)?;
    for one in &wanted {
        // No version of a registry has these: an address or a folder, from which npm may run programs.
        if let Some(range) = one.range.as_deref().filter(|range| range.contains([':', '/'])) {
            let nodes = one.nodes.join("\", \"");
            bail!("\"{nodes}\" needs {} from {range}: only packages from a registry are allowed", one.package);
        }
    }
    let mut refused = parts_of_node_js(&document);
    if wanted.is_empty() {
        print("No function node names an npm module.\n");
    } else {
        refused.extend(install(&args, &wanted).await?);
    }
    for why in &refused {
        eprintln!("flotilla: {}", crate::plain::lines(why));
    }
    Ok(if refused.is_empty() { Exit::Done } else { Exit::Failed }.into())
}

/// Nodes that name a part of Node.js that functions do not have.
fn parts_of_node_js(document: &Document) -> Vec<String> {
    let functions = document.entries().iter().filter(|node| node.kind == "function");
    let refused = functions.flat_map(|node| {
        let parts = libs(node).into_iter().map(|(module, _)| module).filter(|module| is_node_js(module));
        parts.map(|module| {
            format!("function \"{}\" needs {module}, a part of Node.js that functions do not have here", node.label())
        })
    });
    refused.collect()
}

/// Fetches the modules and tries each. Gives what does not run.
async fn install(args: &InstallArgs, wanted: &[Wanted]) -> anyhow::Result<Vec<String>> {
    let locked = folder::write(&args.into, wanted)?;
    npm::npm(&args.npm, &args.into, locked).await?;
    let packages = lock::packages(&args.into)?;
    let mut refused: Vec<String> = packages
        .iter()
        .filter(|package| !package.is_locked)
        .map(|package| {
            format!("{} has no hash in the lock file: only packages from a registry are allowed", package.path)
        })
        .collect();
    let (mut runs, mut text) = (0, String::new());
    for one in wanted {
        let version = installed(&packages, &one.package).map_or("", |package| package.version.as_str());
        match one.modules.iter().find_map(|module| Some((module, fault(module, &args.into, &packages, one)?))) {
            None => {
                runs += 1;
                text.push_str(&format!("{:<10}{} {version}\n", "runs", one.package));
            }
            Some((module, why)) => {
                text.push_str(&format!("{:<10}{} {version}\n", "refused", one.package));
                let nodes = one.nodes.join("\", \"");
                refused.push(format!("{module} {version} does not run here, and \"{nodes}\" needs it: {why}"));
            }
        }
    }
    if runs > 0 {
        text.push_str(&format!("Start replicas with --node-modules {}\n", args.into.display()));
    }
    print(&text);
    Ok(refused)
}

fn installed<'a>(packages: &'a [Package], name: &str) -> Option<&'a Package> {
    packages.iter().find(|package| package.path.strip_prefix("node_modules/") == Some(name))
}

fn fault(module: &str, folder: &Path, packages: &[Package], wanted: &Wanted) -> Option<String> {
    let fault = module_fault(module, folder)?;
    let native = installed(packages, &wanted.package).is_some_and(|package| package.has_script);
    Some(if native { format!("{fault}. It has native code, which needs Node.js") } else { fault })
}
