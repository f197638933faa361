//! `imagewright bench`: the programs at work as their users run them, measured.
//!
//! Every kind of work is done `--rounds` times, each time by all implementations in turn and with another one first, so
//! that a machine that gets slower or faster meanwhile does so for all. What is printed are medians with their
//! extremes, and ratios. It promises not to delete anything while it measures (deleting makes what follows slower), to
//! leave nothing behind, and to end its servers when it is interrupted. It judges nothing: no figure makes it fail.
//!
//! | part | what it knows |
//! | --- | --- |
//! | `args` | the command line |
//! | `side` | who is measured, and which programs that are |
//! | `stage` | what all works share: scratch, credentials, figures, whose turn it is |
//! | `scratch`, `credentials`, `interrupt` | directories, certificates, Ctrl-C |
//! | `server`, `builder`, `repository`, `tool`, `process`, `http` | running the programs, and what they cost |
//! | `synthetic_tree`, `stock`, `variants` | what the work is done on |
//! | `load` | our own client, which asks both servers the same |
//! | `figures`, `machine`, `report` | what came out, on what, and how it is told |
//! | `works` | one file per kind of work |

mod args;
mod builder;
mod credentials;
mod figures;
mod http;
mod interrupt;
mod load;
mod machine;
mod process;
mod report;
mod repository;
mod scratch;
mod server;
mod side;
mod stage;
mod stock;
mod synthetic_tree;
mod tool;
mod variants;
mod works;

pub(crate) use args::BenchArgs;

use clap::ValueEnum;
use stage::Stage;
use std::process::ExitCode;
use works::Work;

/// Measures, and tells.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if args.list {
        for work in Work::value_variants() {
            println!("{:12} {}", work.name(), work.about());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut stage = Stage::new(args)?;
    let before = machine::Machine::look(stage.scratch.path());
    for work in args.works() {
        eprintln!("{}: {}", work.name(), work.about());
        work.run(&mut stage)?;
    }
    let report = report::Report::new(before, &stage);
    print!("{}", report.text());
    if let Some(path) = &args.json {
        report::save(path, &report.json()?)?;
    }
    if let Some(path) = &args.markdown {
        report::save(path, &report.markdown())?;
    }
    stage.finish();
    Ok(ExitCode::SUCCESS)
}
