//! Archives that get past the checksums of their headers.

use crate::input::Input;

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

/// An archive of the members that a shorter input describes: type, fields, name, link, content.
pub(super) fn of_members(input: &mut Input<'_>) -> Vec<u8> {
    let mut archive = Vec::new();
    while !input.is_empty() {
        let flag = b"0123456755112xgLK0S"[usize::from(input.byte()) % 19];
        let fields = input.byte();
        let (name, link) = (input.bytes(), input.bytes());
        let content = if matches!(flag, b'0' | b'7' | b'x' | b'g' | b'L' | b'K') {
            input.bytes()
        } else {
            b""
        };
        let content = if matches!(flag, b'x' | b'g') {
            records(content)
        } else {
            content.to_vec()
        };
        let mut block = [0; BLOCK_BYTES];
        put(&mut block[..100], name);
        put(&mut block[157..257], link);
        put(&mut block[100..108], format!("{:07o}", input.word()).as_bytes());
        put(&mut block[124..136], format!("{:011o}", content.len()).as_bytes());
        if fields & 1 != 0 {
            put(&mut block[108..124], input.bytes());
        }
        if fields & 2 != 0 {
            put(&mut block[136..148], input.bytes());
        }
        if fields & 4 != 0 {
            put(&mut block[329..345], input.bytes());
        }
        if fields & 8 != 0 {
            put(&mut block[345..500], input.bytes());
        }
        block[156] = flag;
        block[257..265].copy_from_slice(b"ustar\x0000");
        put_checksum(&mut block);
        archive.extend_from_slice(&block);
        archive.extend_from_slice(&content);
        archive.resize(archive.len().next_multiple_of(BLOCK_BYTES), 0);
    }
    archive
}

/// The lines of a text as records of an extended header.
fn records(text: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut length = line.len() + 3;
        while length != line.len() + 2 + length.to_string().len() {
            length += 1;
        }
        records.extend_from_slice(format!("{length} ").as_bytes());
        records.extend_from_slice(line);
        records.push(b'\n');
    }
    records
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}
