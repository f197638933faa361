//! Bytes: `[]byte` in one piece, and arrays of them, which are hashes and come by the ten thousand.

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// Bytes encoded at a time: the buffer for the result stays on the stack.
const CHUNK: usize = 64;

impl Gob for u8 {
    fn describe(_: &mut Describer<'_>) -> WireId {
        WireId::UINT
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.leaf("uint8", WireId::UINT, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(0)
    }

    fn is_omitted(&self) -> bool {
        *self == 0
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.uint(u64::from(*self));
    }

    fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
        Self::try_from(reader.uint()?).map_err(|_| Error::OutOfRange)
    }

    fn describe_slice(_: &mut Describer<'_>) -> WireId {
        WireId::BYTES
    }

    fn plan_slice(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.leaf("[]uint8", WireId::BYTES, wire)
    }

    fn encode_slice(values: &[Self], writer: &mut Writer<'_>) {
        writer.bytes(values);
    }

    fn decode_slice(reader: &mut Reader<'_>, _: Plan) -> Result<Vec<Self>, Error> {
        let bytes = reader.bytes()?;
        reader.charge(bytes.len())?;
        Ok(bytes.to_vec())
    }

    fn absent_array<const N: usize>() -> Result<[Self; N], Error> {
        Ok([0; N])
    }

    fn encode_array<const N: usize>(values: &[Self; N], writer: &mut Writer<'_>) {
        writer.uint(N as u64);
        for chunk in values.chunks(CHUNK) {
            // The marker is written before each byte, and overwritten where it was not called for: no branch to
            // mispredict.
            let mut encoded = [0; 2 * CHUNK];
            let mut len = 0;
            for &byte in chunk {
                encoded[len] = 0xff;
                len += usize::from(byte >> 7);
                encoded[len] = byte;
                len += 1;
            }
            writer.raw(&encoded[..len]);
        }
    }

    fn decode_array<const N: usize>(reader: &mut Reader<'_>, _: Plan) -> Result<[Self; N], Error> {
        let (got, want) = (reader.uint()?, N as u64);
        if got != want {
            return Err(Error::ArrayLength { got, want });
        }
        let mut values = [0; N];
        match decode_short_forms(reader.rest(), &mut values) {
            Some(taken) => reader.cursor.pos += taken,
            None => {
                for value in &mut values {
                    *value = Self::decode(reader, Plan::LEAF)?;
                }
            }
        }
        Ok(values)
    }
}

/// Decodes bytes that are encoded as themselves or behind one marker, as every encoder does, without a branch on
/// which of the two it is: for a hash that is a coin toss each time. Every encoded byte is stored, and a marker is
/// overwritten by the next, so that no load waits for another. Returns the bytes taken; `None` if there is anything
/// else, or if the message is too short to tell without looking.
fn decode_short_forms(encoded: &[u8], values: &mut [u8]) -> Option<usize> {
    let encoded = encoded.get(..2 * values.len())?;
    let (mut pos, mut len) = (0, 0);
    let (mut marked, mut other) = (false, false);
    while len < values.len() {
        let byte = encoded[pos];
        pos += 1;
        let marker = (byte == 0xff) & !marked;
        other |= (byte >= 0x80) & (byte != 0xff) & !marked;
        values[len] = byte;
        len += usize::from(!marker);
        marked = marker;
    }
    (!other).then_some(pos)
}
