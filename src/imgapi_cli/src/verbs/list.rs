//! `list`: images, filtered, as a table, a tree, or JSON.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::Write;

use clap::Args;
use repository::json;
use repository_client::{Image, ListImages};

use crate::failure::WrongUse;
use crate::images::{cell, columns, compare};
use crate::session::Session;
use crate::table;

/// List images
#[derive(Args)]
#[command(after_long_help = "\
Filters, all of which must hold:
  name=X name=~X       this name; a name with this in it (also version)
  type=X type=!X       this type; any but this
  os=X owner=X public=true|false state=active|unactivated|disabled|creating|failed|all
  tag.KEY=VALUE        this tag; tag.KEY= for any value
  billing_tag=X        this billing tag

Flags in the table: I is based on another image, P is public, X is not active.

Examples:
  imgapi-cli list name=~base os=linux
  imgapi-cli list -a -o uuid,name,size,state -s=-size  # biggest first, all states
  imgapi-cli list --latest                             # the newest of each owner and name
  imgapi-cli -C '*' list --tree -j | jq length")]
pub(crate) struct Arguments {
    /// Only images with this
    #[arg(value_name = "FIELD=VALUE")]
    filters: Vec<String>,
    /// All, not just active ones: state=all
    #[arg(long, short = 'a')]
    all: bool,
    /// Fields to show
    #[arg(long, short = 'o', value_name = "FIELD,...")]
    output: Option<String>,
    /// Fields to sort by; with - before one the other way round (default published_at,name)
    #[arg(long, short = 's', value_name = "FIELD,...")]
    sort: Option<String>,
    /// No line of headings
    #[arg(long, short = 'H', alias = "skipHeader")]
    skip_header: bool,
    /// Only images published at this date or later, or from this image on
    #[arg(long, short = 'm', value_name = "UUID|DATE")]
    marker: Option<String>,
    /// So many images at most
    #[arg(long, short = 'l', value_name = "NUMBER")]
    limit: Option<usize>,
    /// With the fields for administrators, such as stor
    #[arg(long, short = 'A', alias = "inclAdminFields")]
    incl_admin_fields: bool,
    /// Only the newest of each owner and name
    #[arg(long)]
    latest: bool,
    /// Images below those they are based on
    #[arg(long)]
    tree: bool,
}

/// Parameters of ListImages (imgapi.md §11.1).
const FILTERS: [&str; 14] = [
    "name", "version", "type", "os", "owner", "public", "state", "billing_tag", "account", "channel", "limit", "marker", "sort",
    "inclAdminFields",
];

fn is_known(field: &str) -> bool {
    FILTERS.contains(&field) || field.strip_prefix("tag.").is_some_and(|key| !key.is_empty())
}

/// An image as a line, with what its place depends on.
struct Row {
    cells: Vec<String>,
    keys: Vec<String>,
    uuid: String,
    origin: Option<String>,
}

/// Fields to sort by, and whether the other way round.
type Sort = Vec<(String, bool)>;

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let request = self.request()?;
        let sort = self.sort_fields()?;
        if session.is_json {
            return self.write_json(session, request, &sort).await;
        }
        let shows_state = request.filters.iter().any(|(field, _)| field == "state");
        let usual = if shows_state {
            "uuid,name,version,flags,os,state,published"
        } else {
            "uuid,name,version,flags,os,published"
        };
        let columns = columns(self.output.as_deref().unwrap_or(usual))?;
        let mut rows = Vec::new();
        let mut latest = HashMap::new();
        let mut pages = session.client.pages(request);
        while let Some(page) = pages.next().await? {
            for image in page {
                // Only what is shown is kept: lists can be long.
                let row = Row {
                    cells: columns.iter().map(|column| cell(&image, column)).collect(),
                    keys: sort.iter().map(|(field, _)| cell(&image, field)).collect(),
                    uuid: image.uuid().to_string(),
                    origin: image.origin().map(|origin| origin.to_string()),
                };
                self.keep(&mut rows, &mut latest, &image, row);
            }
        }
        rows.sort_by(|a, b| order(&a.keys, &b.keys, &sort));
        let cells = if self.tree { tree(rows) } else { rows.into_iter().map(|row| row.cells).collect() };
        let mut out = std::io::stdout().lock();
        table::write(&mut out, &columns, &cells, !self.skip_header)?;
        Ok(out.flush()?)
    }

    fn request(&self) -> anyhow::Result<ListImages> {
        let mut request = ListImages {
            admin_fields: self.incl_admin_fields,
            limit: self.limit.filter(|limit| *limit > 0),
            marker: self.marker.clone(),
            ..ListImages::default()
        };
        if self.all {
            request = request.filter("state", "all");
        }
        for filter in &self.filters {
            let Some((field, value)) = filter.split_once('=') else {
                let what = format!("invalid filter: {filter:?} (must be of the form \"field=value\")");
                return Err(WrongUse(what).into());
            };
            match field {
                "limit" => request.limit = Some(value.parse().map_err(|_| WrongUse(format!("limit {value:?} is no number")))?),
                "marker" => request.marker = Some(value.to_owned()),
                // What is named goes before -a.
                "state" => request.filters.retain(|(known, _)| known != "state"),
                _ => {}
            }
            if !is_known(field) {
                // Passed on, as the original's client does: a newer repository may know it. One that does not gives everything.
                eprintln!("Warning: {field:?} is no filter that repositories are known to have: see imgapi-cli list --help");
            }
            if !matches!(field, "limit" | "marker") {
                request = request.filter(field, value);
            }
        }
        Ok(request)
    }

    fn sort_fields(&self) -> anyhow::Result<Sort> {
        let fields = self.sort.as_deref().unwrap_or("published_at,name");
        let bare: Vec<&str> = fields.split(',').map(|field| field.trim().trim_start_matches('-')).collect();
        columns(&bare.join(","))?;
        let named = fields.split(',').zip(&bare);
        Ok(named.map(|(field, bare)| ((*bare).to_owned(), field.trim().starts_with('-'))).collect())
    }

    /// Adds something of an image; with `--latest` in place of the older one of its owner and name.
    fn keep<T>(&self, kept: &mut Vec<T>, latest: &mut HashMap<String, (usize, String)>, image: &Image, new: T) {
        if !self.latest {
            return kept.push(new);
        }
        let name = format!("{}:{}", cell(image, "owner"), image.name());
        let published = cell(image, "published_at");
        match latest.get_mut(&name) {
            None => {
                latest.insert(name, (kept.len(), published));
                kept.push(new);
            }
            Some((at, known)) if published > *known => {
                *known = published;
                kept[*at] = new;
            }
            Some(_) => {}
        }
    }

    /// One array, as the original writes it; page by page where nothing has to be known of the whole.
    async fn write_json(&self, session: &Session, request: ListImages, sort: &Sort) -> anyhow::Result<()> {
        let is_whole = self.latest || self.sort.is_some();
        let mut out = std::io::BufWriter::new(std::io::stdout());
        let (mut kept, mut latest, mut written) = (Vec::new(), HashMap::new(), 0_usize);
        let mut pages = session.client.pages(request);
        while let Some(page) = pages.next().await? {
            for image in page {
                if is_whole {
                    self.keep(&mut kept, &mut latest, &image.clone(), image);
                } else {
                    write_item(&mut out, &image, &mut written)?;
                }
            }
        }
        if self.sort.is_some() {
            let keys = |image: &Image| sort.iter().map(|(field, _)| cell(image, field)).collect::<Vec<_>>();
            kept.sort_by_cached_key_with(keys, |a, b| order(a, b, sort));
        }
        for image in &kept {
            write_item(&mut out, image, &mut written)?;
        }
        out.write_all(if written == 0 { b"[]\n" } else { b"\n]\n" })?;
        Ok(out.flush()?)
    }
}

fn write_item(out: &mut impl Write, image: &Image, written: &mut usize) -> std::io::Result<()> {
    out.write_all(if *written == 0 { b"[\n  " } else { b",\n  " })?;
    let mut text = String::new();
    json::pretty_into(image.value(), 1, &mut text);
    *written += 1;
    out.write_all(text.as_bytes())
}

fn order(a: &[String], b: &[String], sort: &Sort) -> Ordering {
    let mut orders = a.iter().zip(b).zip(sort).map(|((a, b), (_, is_reversed))| {
        let order = compare(a, b);
        if *is_reversed { order.reverse() } else { order }
    });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Sorting by keys that are made once.
trait SortWith<T> {
    fn sort_by_cached_key_with<K>(&mut self, key: impl Fn(&T) -> K, order: impl Fn(&K, &K) -> Ordering);
}

impl<T> SortWith<T> for Vec<T> {
    fn sort_by_cached_key_with<K>(&mut self, key: impl Fn(&T) -> K, order: impl Fn(&K, &K) -> Ordering) {
        let mut keyed: Vec<(K, T)> = self.drain(..).map(|item| (key(&item), item)).collect();
        keyed.sort_by(|(a, _), (b, _)| order(a, b));
        self.extend(keyed.into_iter().map(|(_, item)| item));
    }
}

/// Rows below those they are based on, in their order. An origin that is not in the list gets a line with nothing but its name.
fn tree(rows: Vec<Row>) -> Vec<Vec<String>> {
    let width = rows.first().map_or(0, |row| row.cells.len());
    let known: std::collections::HashSet<String> = rows.iter().map(|row| row.uuid.clone()).collect();
    let mut children: HashMap<String, Vec<usize>> = HashMap::new();
    let mut roots: Vec<(String, Option<usize>)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        match &row.origin {
            None => roots.push((row.uuid.clone(), Some(index))),
            Some(origin) => {
                if !known.contains(origin) && !children.contains_key(origin) {
                    roots.push((origin.clone(), None));
                }
                children.entry(origin.clone()).or_default().push(index);
            }
        }
    }
    let mut lines = Vec::with_capacity(rows.len());
    // Depth first, without recursion: chains of origins can be long, and a server may send circles, which have no root.
    for (uuid, index) in roots {
        let mut stack = vec![(uuid, index, 0_usize, true)];
        while let Some((uuid, index, depth, is_last)) = stack.pop() {
            let mut cells = match index {
                Some(index) => rows[index].cells.clone(),
                None => {
                    let mut cells = vec![String::new(); width];
                    if let Some(first) = cells.first_mut() {
                        first.clone_from(&uuid);
                    }
                    cells
                }
            };
            if let (Some(first), 1..) = (cells.first_mut(), depth) {
                let branch = if is_last { " `- " } else { " |- " };
                *first = format!("{}{branch}{first}", "    ".repeat(depth - 1));
            }
            lines.push(cells);
            let below = children.get(&uuid).map(Vec::as_slice).unwrap_or_default();
            for (place, &child) in below.iter().enumerate().rev() {
                stack.push((rows[child].uuid.clone(), Some(child), depth + 1, place + 1 == below.len()));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(uuid: &str, origin: Option<&str>) -> Row {
        Row {
            cells: vec![uuid.to_owned(), "name".to_owned()],
            keys: Vec::new(),
            uuid: uuid.to_owned(),
            origin: origin.map(str::to_owned),
        }
    }

    #[test]
    fn a_tree_has_every_image_once_below_what_it_is_based_on() {
        let rows = vec![row("a", None), row("b", Some("a")), row("c", Some("gone")), row("d", Some("b")), row("e", Some("a"))];
        let first: Vec<String> = tree(rows).into_iter().map(|mut cells| cells.remove(0)).collect();
        assert_eq!(first, ["a", " |- b", "     `- d", " `- e", "gone", " `- c"]);
    }

    #[test]
    fn several_fields_order_the_one_within_the_other() {
        let sort = vec![("name".to_owned(), false), ("size".to_owned(), true)];
        let keys = |name: &str, size: &str| vec![name.to_owned(), size.to_owned()];
        assert_eq!(order(&keys("a", "9"), &keys("a", "10"), &sort), Ordering::Greater);
        assert_eq!(order(&keys("a", "1"), &keys("b", "2"), &sort), Ordering::Less);
    }
}
