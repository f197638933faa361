//! Archives that get past the checksums of their headers.

const BLOCK_BYTES: usize = 512;

/// The same bytes with the right checksum in every block that looks like a header.
pub(super) fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(BLOCK_BYTES) {
        if block[257..262] == *b"ustar" {
            put_checksum(block);
        }
    }
    bytes
}

fn put_checksum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

/// An archive of the members that a text describes, a line each: the type and the name, then fields with a tab in front. Those
/// of an extended header are its records; those of anything else are link, content, mode, owner and group, time, device numbers,
/// prefix.
pub(super) fn of_members(text: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let Some((&flag, line)) = line.split_first() else {
            continue;
        };
        let mut fields = line.split(|&byte| byte == b'\t');
        let mut block = [0; BLOCK_BYTES];
        put(&mut block[..100], fields.next().unwrap_or_default());
        let content = if matches!(flag, b'x' | b'g') {
            records(fields)
        } else {
            member(&mut block, fields)
        };
        block[156] = flag;
        put(&mut block[124..136], format!("{:011o}", content.len()).as_bytes());
        block[257..265].copy_from_slice(b"ustar\x0000");
        put_checksum(&mut block);
        archive.extend_from_slice(&block);
        archive.extend_from_slice(&content);
        archive.resize(archive.len().next_multiple_of(BLOCK_BYTES), 0);
    }
    archive
}

/// Puts fields where they belong and returns the content.
fn member<'a>(block: &mut [u8], mut fields: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    put(&mut block[157..257], fields.next().unwrap_or_default());
    let content = fields.next().unwrap_or_default().to_vec();
    for place in [100..108, 108..124, 136..148, 329..345, 345..500] {
        put(&mut block[place], fields.next().unwrap_or_default());
    }
    content
}

/// The records of an extended header.
fn records<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut records = Vec::new();
    for text in texts {
        let mut length = text.len() + 3;
        while length != text.len() + 2 + length.to_string().len() {
            length += 1;
        }
        records.extend_from_slice(format!("{length} ").as_bytes());
        records.extend_from_slice(text);
        records.push(b'\n');
    }
    records
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}
