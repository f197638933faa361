//! `imagewright up`: image server, image builder and image repository together on one host.
//!
//! | part | what it knows |
//! | --- | --- |
//! | `home` | where everything lies in one directory, and who may use it at a time |
//! | `service_user` | who image server and image repository run as, since they must not be root |
//! | `credentials` | the authority, the daemons' certificates, and one for whoever administers them |
//! | `daemon` | one of the daemons: its flags, starting it, whether it answers, ending it |
//! | `image_repository` | the configuration that the image repository begins with |
//! | `watch` | keeping them running until somebody asks to stop |

mod credentials;
mod daemon;
mod home;
mod image_repository;
mod service_user;
mod watch;

use crate::exit::WrongUse;
use clap::Args;
use daemon::Daemon;
use home::Home;
use image_repository::ImageRepository;
use service_user::ServiceUser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of the verb.
#[derive(Args)]
#[command(
    after_help = "Everything is kept in the directory; the next `up` goes on where this one stopped. Daemons that die are started again.\n\n\
                        Examples:\n  imagewright up --dir /srv/imagewright --configuration /etc/imaginator/conf.json\n  \
                        imagewright up --dir ~/images --no-imaginator      (needs no root)"
)]
pub(crate) struct UpArgs {
    /// Directory of everything: images, objects, state, certificates, logs. Made if it is not there
    #[arg(long, value_name = "DIR", default_value = "/var/lib/imagewright")]
    dir: PathBuf,
    /// Main configuration of the image builder: a path or URL [default: DIR/imaginator/conf.json; without streams if there is none]
    #[arg(long, value_name = "URL")]
    configuration: Option<String>,
    /// File with secret variables for the image builder
    #[arg(long, value_name = "FILE")]
    variables: Option<PathBuf>,
    /// Time from one round of automatic rebuilds to the next; 0s for none
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    rebuild_interval: String,
    /// Port of the image server
    #[arg(long, value_name = "PORT", default_value_t = 6971)]
    imageserver_port: u16,
    /// Port of the image repository, for a configuration that is made [default: 8080]
    #[arg(long, value_name = "PORT")]
    imgapi_port: Option<u16>,
    /// Configuration of the image repository [default: DIR/imgapi/imgapi.config.json, made if it is not there: open to everybody on
    /// this host and to nobody else]
    #[arg(long, value_name = "FILE")]
    imgapi_configuration: Option<PathBuf>,
    /// Port of the image builder
    #[arg(long, value_name = "PORT", default_value_t = 6975)]
    imaginator_port: u16,
    /// Address to listen on [default: all]
    #[arg(long, value_name = "IP")]
    address: Option<std::net::IpAddr>,
    /// User that image server and image repository run as; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "imageserver")]
    user: String,
    /// No image builder
    #[arg(long)]
    no_imaginator: bool,
    /// No image repository
    #[arg(long)]
    no_imgapi: bool,
    /// Directory with the programs [default: where this one is]
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// A further flag for the image server; may be given several times
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    imageserver_flag: Vec<String>,
    /// A further flag for the image builder; may be given several times
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    imaginator_flag: Vec<String>,
}

/// Prepares what is lacking, starts the daemons, and stays until told to stop.
pub(crate) fn run(args: &UpArgs) -> anyhow::Result<ExitCode> {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root && !args.no_imaginator {
        return Err(WrongUse(
            "the image builder must run as root: its sandboxes need it. Run this as root, or with --no-imaginator".to_owned(),
        )
        .into());
    }
    let user = is_root
        .then(|| ServiceUser::find_or_make(&args.user))
        .transpose()?;
    let home = Home::open(&args.dir, user.as_ref())?;
    credentials::prepare(&home, user.as_ref())?;
    let mut daemons = vec![Daemon::image_server(args, &home, user)?];
    let repository = match args.no_imgapi {
        true => None,
        false => Some(ImageRepository::prepare(args, &home)?),
    };
    if let Some(repository) = &repository {
        daemons.push(Daemon::image_repository(args, repository, &home, user)?);
    }
    if !args.no_imaginator {
        daemons.push(Daemon::image_builder(args, &home)?);
    }
    watch::run(daemons, || tell(args, &home, repository.as_ref()))
}

/// What to type next.
fn tell(args: &UpArgs, home: &Home, repository: Option<&ImageRepository>) {
    let certificates = home.administrator().display().to_string();
    println!("image server   http://localhost:{}/", args.imageserver_port);
    println!(
        "               imagetool -imageServerPortNum={} -certDirectory={certificates} list",
        args.imageserver_port
    );
    if !args.no_imaginator {
        println!("image builder  http://localhost:{}/", args.imaginator_port);
        println!(
            "               builder-tool -imaginatorPortNum={} -certDirectory={certificates} build-image STREAM",
            args.imaginator_port
        );
    }
    if let Some(ImageRepository { port, .. }) = repository {
        println!("repository     http://localhost:{port}/ui");
        println!("               imgapi-cli --url http://localhost:{port} list");
    }
    println!("directory      {}", home.path().display());
    println!("Ctrl-C or SIGTERM ends them.");
}
