//! `rustgen graphql_client|cynic SCHEMA OPERATIONS`: runs a generator of Rust clients and parses what it gives.
//!
//! Called by `codegen.mjs`. Says how many bytes came out, or what is wrong, and ends with 1 then.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use cynic_querygen::Generator;
use graphql_client_codegen::{CodegenMode, GraphQLClientCodegenOptions};

type Generated = Result<String, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [generator, schema, operations] = arguments.as_slice() else {
        eprintln!("usage: rustgen graphql_client|cynic SCHEMA OPERATIONS");
        return ExitCode::FAILURE;
    };
    let generated = match generator.as_str() {
        "graphql_client" => graphql_client(Path::new(schema), Path::new(operations)),
        "cynic" => cynic(Path::new(schema), Path::new(operations)),
        other => Err(format!("{other} is no generator that is known here").into()),
    };
    match generated.and_then(parsed) {
        Ok(bytes) => {
            println!("{bytes} bytes");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{generator}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn graphql_client(schema: &Path, operations: &Path) -> Generated {
    let options = GraphQLClientCodegenOptions::new(CodegenMode::Cli);
    let tokens =
        graphql_client_codegen::generate_module_token_stream(operations.into(), schema, options)
            .map_err(|error| error.to_string())?;
    Ok(tokens.to_string())
}

fn cynic(schema: &Path, operations: &Path) -> Generated {
    let (sdl, operations) = (fs::read_to_string(schema)?, fs::read_to_string(operations)?);
    cynic_codegen::register_schema("schema")
        .dry_run()
        .from_sdl(&sdl)
        .map_err(|error| error.to_string())?;
    let generator = Generator::new(sdl).map_err(|error| error.to_string())?;
    generator
        .generate(operations)
        .map_err(|error| error.to_string().into())
}

fn parsed(text: String) -> Result<usize, Box<dyn Error>> {
    syn::parse_file(&text).map_err(|error| format!("its output does not parse: {error}"))?;
    Ok(text.len())
}
