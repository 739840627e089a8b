//! `carrier schema`: the JSON Schemas of the kinds, for editors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::model::kinds::editor::json_schemas;
use crate::model::nearest::nearest;
use crate::plan;

/// The file of the schema of an object of any kind, without `.json`.
pub(super) const ANY: &str = "kubecarrier";
/// The file of the schema of `carrier.yaml`, without `.json`.
pub(super) const SETTINGS: &str = "carrier";

/// Arguments of `carrier schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier schema --out .carrier/schemas")]
pub(crate) struct SchemaArgs {
    /// A kind such as CatalogEntrySet, `carrier.yaml`, or `plan` for that of `carrier plan -o json`; without it, the schema of an object of any kind
    #[arg(value_name = "KIND", conflicts_with = "out")]
    pub kind: Option<String>,
    /// Write all schemas into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// Prints a schema, or writes all of them to a folder.
///
/// # Errors
/// When there is no such kind, or stdout or the folder cannot be written.
pub(crate) fn run(args: &SchemaArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let mut schemas = json_schemas();
    schemas.insert(plan::json::FILE.to_owned(), plan::json::schema());
    match &args.out {
        Some(out) => {
            let folder = env.path(out);
            fs::create_dir_all(&folder).map_err(|e| CliError::file("make the folder", &folder, &e))?;
            for (name, schema) in &schemas {
                let path = folder.join(name);
                fs::write(&path, text(schema)).map_err(|e| CliError::file("write", &path, &e))?;
            }
            ui.say(format_args!("wrote {} schemas to {}", schemas.len(), out.display()))?;
        }
        None => {
            let schema = find(&schemas, args.kind.as_deref().unwrap_or(ANY))?;
            ui.out().write_all(text(schema).as_bytes())?;
        }
    }
    Ok(Exit::Fine)
}

/// The text of a schema file.
pub(super) fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// Finds the schema of a kind, in any letter case, or that of `carrier.yaml`.
fn find<'s>(schemas: &'s BTreeMap<String, Value>, kind: &str) -> Result<&'s Value, CliError> {
    let stem = Path::new(kind).file_stem().map_or_else(String::new, |s| s.to_string_lossy().to_lowercase());
    schemas.get(&format!("{stem}.json")).ok_or_else(|| {
        let titles = || schemas.values().filter_map(|s| s.get("title").and_then(Value::as_str));
        let error = CliError::usage(format!("there is no schema of `{kind}`"));
        match nearest(kind, titles()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are {}", titles().collect::<Vec<_>>().join(", "))),
        }
    })
}
