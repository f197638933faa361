//! The variable-length integers everything else is made of (gob.md §2).

/// Appends an unsigned integer: one byte below 128, else the negated byte count and big-endian bytes.
#[inline]
pub(crate) fn put_uint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        let (bytes, len) = long_uint(value);
        out.extend_from_slice(&bytes[..len]);
    }
}

/// Appends a signed integer: shifted left once, complemented when negative, with the sign in bit 0.
#[inline]
pub(crate) fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, fold_sign(value));
}

/// Appends a length and that many bytes.
#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes `value` as a length prefix over the `reserved` bytes at `start`, moving what follows them if the encoded
/// length takes another number of bytes. Returns the bytes taken: the best guess for the next one of its kind.
pub(crate) fn patch_length(out: &mut Vec<u8>, start: usize, reserved: usize) -> usize {
    let body = start + reserved;
    let value = (out.len() - body) as u64;
    let (bytes, len) = if value < 0x80 {
        ([value as u8, 0, 0, 0, 0, 0, 0, 0, 0], 1)
    } else {
        long_uint(value)
    };
    let end = out.len();
    if len > reserved {
        out.resize(end + len - reserved, 0);
        out.copy_within(body..end, start + len);
    } else if len < reserved {
        out.copy_within(body..end, start + len);
        out.truncate(end - (reserved - len));
    }
    out[start..start + len].copy_from_slice(&bytes[..len]);
    len
}

#[inline]
fn long_uint(value: u64) -> ([u8; 9], usize) {
    let big_endian = value.to_be_bytes();
    let skip = (value | 1).leading_zeros() as usize / 8;
    let width = 8 - skip;
    let mut bytes = [0; 9];
    bytes[0] = (width as u8).wrapping_neg();
    bytes[1..=width].copy_from_slice(&big_endian[skip..]);
    (bytes, width + 1)
}

#[inline]
fn fold_sign(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of what [`put_int`] does to the sign.
#[inline]
pub(crate) fn unfold_sign(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uint(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_uint(&mut out, value);
        out
    }

    #[test]
    fn unsigned_is_minimal() {
        assert_eq!(uint(0), [0]);
        assert_eq!(uint(127), [127]);
        assert_eq!(uint(128), [0xff, 128]);
        assert_eq!(uint(255), [0xff, 255]);
        assert_eq!(uint(256), [0xfe, 1, 0]);
        assert_eq!(uint(u64::MAX), [0xf8, 255, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn sign_folds_and_unfolds() {
        for value in [0, 1, -1, 63, -64, 64, -65, i64::MAX, i64::MIN] {
            assert_eq!(unfold_sign(fold_sign(value)), value);
        }
        assert_eq!(
            (fold_sign(-1), fold_sign(1), fold_sign(i64::MIN)),
            (1, 2, u64::MAX)
        );
    }

    #[test]
    fn patched_lengths_are_minimal_whatever_was_reserved() {
        for reserved in 1..=9 {
            for len in [0, 1, 127, 128, 255, 256, 70_000] {
                let mut out = vec![9];
                out.resize(1 + reserved, 0);
                out.extend((0..len).map(|i| i as u8));
                let width = patch_length(&mut out, 1, reserved);
                let mut want = vec![9];
                put_uint(&mut want, len as u64);
                assert_eq!(width, want.len() - 1);
                want.extend((0..len).map(|i| i as u8));
                assert_eq!(out, want);
            }
        }
    }
}
