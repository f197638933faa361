//! Headers as the original's library chooses them: plain ustar where everything fits, else a pax header before it.

use bstr::{BStr, BString, ByteSlice};
use image::{DirectoryInode, Inode};

use crate::error::Error;

/// Size of headers, and what content is padded to.
pub(super) const BLOCK_BYTES: usize = 512;

/// Bytes of the name and link fields.
const NAME_BYTES: usize = 100;

/// Bytes of the prefix field, which takes the leading directories of a longer name.
const PREFIX_BYTES: usize = 155;

/// Largest owner or group in 7 octal digits.
const MAX_OWNER: u64 = 0o7_777_777;

/// Largest size or time in 11 octal digits.
const MAX_NUMBER: u64 = 0o77_777_777_777;

/// The file type bits of a mode.
const TYPE_BITS: u32 = 0o170_000;

/// What one header says.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    flag: u8,
    name: BString,
    link: BString,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    mtime_seconds: i64,
    major: u64,
    minor: u64,
}

impl Fields {
    pub(super) fn directory(name: impl AsRef<[u8]>, inode: &DirectoryInode) -> Fields {
        let name = BStr::new(name.as_ref()).to_owned();
        Fields {
            flag: b'5',
            name,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            ..Fields::default()
        }
    }

    pub(super) fn hard_link(name: &BString, target: &BString, inode: &Inode) -> Fields {
        Fields {
            flag: b'1',
            link: target.clone(),
            size: 0,
            ..Fields::of(name, inode).unwrap_or_default()
        }
    }

    pub(super) fn of(name: &BString, inode: &Inode) -> Result<Fields, Error> {
        let fields = Fields {
            flag: b'0',
            name: name.clone(),
            mode: inode.mode(),
            uid: inode.uid(),
            gid: inode.gid(),
            ..Fields::default()
        };
        Ok(match inode {
            Inode::Regular(regular) => Fields {
                size: regular.size,
                mtime_seconds: rounded(regular.mtime_seconds, regular.mtime_nano_seconds),
                ..fields
            },
            Inode::ComputedRegular(_) => fields,
            Inode::Symlink(link) => Fields {
                flag: b'2',
                link: link.symlink.clone(),
                // The one kind that goes without its type bits.
                mode: 0o777,
                ..fields
            },
            Inode::Special(special) => {
                let (flag, is_device) = match special.mode & TYPE_BITS {
                    image::tree::mode::CHARACTER_DEVICE => (b'3', true),
                    image::tree::mode::BLOCK_DEVICE => (b'4', true),
                    image::tree::mode::FIFO => (b'6', false),
                    _ => {
                        let why = "special inode is neither a device nor a fifo";
                        return Err(Error::BadTree {
                            path: name.clone(),
                            why,
                        });
                    }
                };
                let rdev = if is_device { special.rdev } else { 0 };
                Fields {
                    flag,
                    major: rdev >> 8,
                    minor: rdev & 0xff,
                    mtime_seconds: rounded(special.mtime_seconds, special.mtime_nano_seconds),
                    ..fields
                }
            }
            Inode::Directory(directory) => Fields::directory(name, directory),
        })
    }

    /// The header, with a pax header before it if anything does not fit.
    pub(super) fn encode(&self) -> Vec<u8> {
        let records = self.records();
        if records.is_empty() {
            return self.block().to_vec();
        }
        let mut out = self.pax_header(records.len()).block().to_vec();
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(BLOCK_BYTES), 0);
        out.extend_from_slice(&self.block());
        out
    }

    /// What does not fit, as records sorted by key. A long name alone is no reason while it can be split.
    fn records(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let other_reason = needs_record(&self.link)
            || u64::from(self.uid) > MAX_OWNER
            || u64::from(self.gid) > MAX_OWNER
            || self.size > MAX_NUMBER
            || u64::try_from(self.mtime_seconds).is_ok_and(|t| t > MAX_NUMBER)
            || self.mtime_seconds < 0;
        if u64::from(self.gid) > MAX_OWNER {
            record(&mut records, "gid", self.gid.to_string().as_bytes());
        }
        if needs_record(&self.link) {
            record(&mut records, "linkpath", &self.link);
        }
        if self.mtime_seconds < 0 || self.mtime_seconds.unsigned_abs() > MAX_NUMBER {
            record(&mut records, "mtime", self.mtime_seconds.to_string().as_bytes());
        }
        if needs_record(&self.name) && (other_reason || split(&self.name).is_none()) {
            record(&mut records, "path", &self.name);
        }
        if self.size > MAX_NUMBER {
            record(&mut records, "size", self.size.to_string().as_bytes());
        }
        if u64::from(self.uid) > MAX_OWNER {
            record(&mut records, "uid", self.uid.to_string().as_bytes());
        }
        records
    }

    /// `DIRECTORY/PaxHeaders.0/NAME`, cleaned and cut.
    fn pax_header(&self, size: usize) -> Fields {
        // A directory's name ends with a slash, so its own name counts as the directory here.
        let name = &self.name;
        let slash = name.rfind_byte(b'/').map_or(0, |at| at + 1);
        let mut header: Vec<u8> = name[..slash]
            .strip_prefix(b"./")
            .unwrap_or(&name[..slash])
            .to_vec();
        header.extend_from_slice(b"PaxHeaders.0/");
        header.extend_from_slice(&name[slash..]);
        header.retain(u8::is_ascii);
        if header.ends_with(b"/") {
            header.pop();
        }
        header.truncate(NAME_BYTES);
        while header.ends_with(b"/") {
            header.pop();
        }
        Fields {
            flag: b'x',
            name: header.into(),
            size: size as u64,
            ..Fields::default()
        }
    }

    fn block(&self) -> [u8; BLOCK_BYTES] {
        let mut block = [0_u8; BLOCK_BYTES];
        let split = if self.flag == b'x' || !needs_record(&self.name) {
            None
        } else {
            split(&self.name)
        };
        let (prefix, name) = split.unwrap_or((b"", &self.name));
        text(&mut block[0..NAME_BYTES], name);
        octal(&mut block[100..108], u64::from(self.mode));
        octal(
            &mut block[108..116],
            Some(u64::from(self.uid)).filter(|v| *v <= MAX_OWNER).unwrap_or(0),
        );
        octal(
            &mut block[116..124],
            Some(u64::from(self.gid)).filter(|v| *v <= MAX_OWNER).unwrap_or(0),
        );
        octal(
            &mut block[124..136],
            Some(self.size).filter(|v| *v <= MAX_NUMBER).unwrap_or(0),
        );
        let mtime = u64::try_from(self.mtime_seconds)
            .ok()
            .filter(|v| *v <= MAX_NUMBER)
            .unwrap_or(0);
        octal(&mut block[136..148], mtime);
        block[156] = self.flag;
        text(&mut block[157..257], &self.link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        if self.flag != b'x' {
            octal(&mut block[329..337], self.major);
            octal(&mut block[337..345], self.minor);
        }
        text(&mut block[345..500], prefix);
        block[148..156].fill(b' ');
        let sum = block.iter().map(|&byte| u64::from(byte)).sum();
        octal(&mut block[148..155], sum);
        block
    }
}

/// The header has whole seconds; the original rounds to the nearest.
fn rounded(seconds: i64, nanoseconds: i32) -> i64 {
    seconds.saturating_add(i64::from(nanoseconds >= 500_000_000))
}

fn needs_record(value: &[u8]) -> bool {
    value.len() > NAME_BYTES || !value.is_ascii()
}

/// Splits a long name at a slash so that both parts fit their fields.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= NAME_BYTES || !name.is_ascii() {
        return None;
    }
    let window = name.len().min(PREFIX_BYTES + 1);
    // A slash at the very end belongs to a directory's name.
    let window = if name[..window].ends_with(b"/") && window == name.len() {
        window - 1
    } else {
        window
    };
    let slash = name[..window].rfind_byte(b'/')?;
    let rest = &name[slash + 1..];
    (slash > 0 && slash <= PREFIX_BYTES && !rest.is_empty() && rest.len() <= NAME_BYTES)
        .then_some((&name[..slash], rest))
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(format!("{length} {key}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn text(field: &mut [u8], value: &[u8]) {
    let ascii = value.iter().filter(|byte| byte.is_ascii());
    for (to, from) in field.iter_mut().zip(ascii) {
        *to = *from;
    }
}

/// Octal digits filling the field but for a zero byte.
fn octal(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let text = format!("{value:0digits$o}");
    // Too large a value keeps its low digits: it stands in a record as well, or (a device number) cannot be told at all.
    field[..digits].copy_from_slice(&text.as_bytes()[text.len() - digits..]);
    field[digits] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        for length in 0..200 {
            let mut out = Vec::new();
            record(&mut out, "path", &vec![b'x'; length]);
            let digits = out.iter().position(|&b| b == b' ').unwrap();
            assert_eq!(
                std::str::from_utf8(&out[..digits])
                    .unwrap()
                    .parse::<usize>()
                    .unwrap(),
                out.len()
            );
        }
    }

    #[test]
    fn long_names_are_split_only_where_both_parts_fit() {
        let long = format!("./{}/{}", "d".repeat(120), "f".repeat(90));
        assert_eq!(
            split(long.as_bytes()).map(|(p, n)| (p.len(), n.len())),
            Some((122, 90))
        );
        assert_eq!(split(format!("./{}", "f".repeat(150)).as_bytes()), None);
        assert_eq!(split(b"./short"), None);
    }
}
