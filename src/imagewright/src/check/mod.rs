//! `imagewright check`: looks through the directories of an image server that does not run, changing nothing.
//!
//! Every object is hashed, every image file decoded and its checksum compared, every reference looked up; what else lies
//! there is named. It promises to read only, and to keep a server from starting on the directories while it reads them. It deliberately repairs
//! nothing: each finding says what to do. A running server is checked with `imagetool scrub`.

mod finding;
mod images;
mod indexes;
mod lock;
mod objects;
mod progress;
mod report;
mod workers;

use crate::exit::WrongUse;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the directories are called below a common one: by the package, and by whoever wants it short.
const NAMES: [(&str, &str); 2] = [("imageserver", "objectserver"), ("images", "objects")];

/// Look through the directories of an image server that does not run
#[derive(clap::Args)]
#[command(
    after_help = "Exit code: 0 nothing is damaged, 1 something is, 2 the directories cannot be checked as asked.\n\nExamples:\n  \
                  imagewright check /var/lib   # /var/lib/imageserver and /var/lib/objectserver\n  \
                  imagewright check --image-dir /data/images --object-dir /data/objects --json"
)]
pub(crate) struct CheckArgs {
    /// Directory that holds both: `imageserver` and `objectserver`, or `images` and `objects`
    #[arg(conflicts_with_all = ["image_dir", "object_dir"], required_unless_present = "image_dir")]
    dir: Option<PathBuf>,
    /// Directory of the images
    #[arg(long, requires = "object_dir")]
    image_dir: Option<PathBuf>,
    /// Directory of the objects
    #[arg(long, requires = "image_dir")]
    object_dir: Option<PathBuf>,
    /// Print findings as JSON, one a line, and then a summary
    #[arg(long)]
    json: bool,
    /// Files read at a time [default: one for each processor]
    #[arg(long)]
    threads: Option<usize>,
    /// Check although a server uses the directories: what it is writing may be reported
    #[arg(long)]
    while_running: bool,
}

struct Directories {
    images: PathBuf,
    objects: PathBuf,
}

/// Checks, prints, and says by the exit code whether anything is damaged.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let directories = directories(args)?;
    let _locks = lock::take(&directories, args.while_running)?;
    let threads = args.threads.unwrap_or_else(workers::processors).max(1);
    let progress = progress::Progress::start();
    let mut report = report::Report::default();
    let objects = objects::look(&directories.objects, threads, &progress, &mut report)
        .with_context(|| directories.objects.display().to_string())?;
    images::look(&directories.images, &objects, threads, &progress, &mut report)
        .with_context(|| directories.images.display().to_string())?;
    indexes::look(&directories, &mut report);
    objects.tell(&mut report);
    drop(progress);
    report.print(args.json)?;
    Ok(ExitCode::from(u8::from(report.is_damaged())))
}

fn directories(args: &CheckArgs) -> anyhow::Result<Directories> {
    if let (Some(images), Some(objects)) = (&args.image_dir, &args.object_dir) {
        return Ok(Directories {
            images: images.clone(),
            objects: objects.clone(),
        });
    }
    let base = args.dir.as_deref().unwrap_or(Path::new("/var/lib"));
    for (images, objects) in NAMES {
        let (images, objects) = (base.join(images), base.join(objects));
        if images.is_dir() && objects.is_dir() {
            return Ok(Directories { images, objects });
        }
    }
    Err(WrongUse(format!(
        "{} has neither imageserver and objectserver in it nor images and objects: name both with --image-dir and --object-dir",
        base.display()
    ))
    .into())
}
