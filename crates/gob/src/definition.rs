//! Reading and writing type definitions (gob.md §3.2).

use bstr::BString;

use crate::cursor::Cursor;
use crate::error::Error;
use crate::number::{put_bytes, put_int, put_uint};
use crate::types::{Definition, Shape, WireId};

/// Reads the wire type that follows a negative id.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Definition, Error> {
    let mut definition = None;
    let mut field = 0;
    while next_field(cursor, &mut field, 7)? {
        let read = match field {
            1 => read_array(cursor)?,
            2 => read_slice(cursor)?,
            3 => read_struct(cursor)?,
            4 => read_map(cursor)?,
            5 => read_encoder(cursor, Shape::GobEncoder)?,
            _ => read_encoder(cursor, Shape::Marshaler)?,
        };
        if definition.replace(read).is_some() {
            return Err(Error::BadDefinition("more than one kind of type"));
        }
    }
    definition.ok_or(Error::BadDefinition("no kind of type"))
}

/// Moves `field` to the next field sent, of fields numbered from 1 to `last`; false at the struct's end.
fn next_field(cursor: &mut Cursor<'_>, field: &mut u64, last: u64) -> Result<bool, Error> {
    let delta = cursor.uint()?;
    if delta > last - *field {
        return Err(Error::FieldNumber);
    }
    *field += delta;
    Ok(delta != 0)
}

fn read_id(cursor: &mut Cursor<'_>) -> Result<WireId, Error> {
    i32::try_from(cursor.int()?)
        .map(WireId)
        .map_err(|_| Error::BadDefinition("type id out of range"))
}

/// The name. The id is there too, and as redundant as it looks.
fn read_common(cursor: &mut Cursor<'_>) -> Result<BString, Error> {
    let mut name = BString::default();
    let mut field = 0;
    while next_field(cursor, &mut field, 2)? {
        match field {
            1 => name = cursor.bytes()?.into(),
            _ => drop(read_id(cursor)?),
        }
    }
    Ok(name)
}

fn read_array(cursor: &mut Cursor<'_>) -> Result<Definition, Error> {
    let (mut name, mut elem, mut len) = (BString::default(), WireId(0), 0);
    let mut field = 0;
    while next_field(cursor, &mut field, 3)? {
        match field {
            1 => name = read_common(cursor)?,
            2 => elem = read_id(cursor)?,
            _ => len = cursor.int()?,
        }
    }
    let len = u64::try_from(len).map_err(|_| Error::BadDefinition("negative array length"))?;
    Ok(Definition {
        name,
        shape: Shape::Array { elem, len },
    })
}

fn read_slice(cursor: &mut Cursor<'_>) -> Result<Definition, Error> {
    let (mut name, mut elem) = (BString::default(), WireId(0));
    let mut field = 0;
    while next_field(cursor, &mut field, 2)? {
        match field {
            1 => name = read_common(cursor)?,
            _ => elem = read_id(cursor)?,
        }
    }
    Ok(Definition {
        name,
        shape: Shape::Slice { elem },
    })
}

fn read_struct(cursor: &mut Cursor<'_>) -> Result<Definition, Error> {
    let (mut name, mut fields) = (BString::default(), Vec::new());
    let mut field = 0;
    while next_field(cursor, &mut field, 2)? {
        match field {
            1 => name = read_common(cursor)?,
            _ => {
                let count = cursor.uint()?;
                // Each takes more than one byte, so a count that lies ends at the message's end.
                for _ in 0..count {
                    fields.push(read_struct_field(cursor)?);
                }
            }
        }
    }
    Ok(Definition {
        name,
        shape: Shape::Struct { fields },
    })
}

fn read_struct_field(cursor: &mut Cursor<'_>) -> Result<(BString, WireId), Error> {
    let (mut name, mut id) = (BString::default(), WireId(0));
    let mut field = 0;
    while next_field(cursor, &mut field, 2)? {
        match field {
            1 => name = cursor.bytes()?.into(),
            _ => id = read_id(cursor)?,
        }
    }
    if name.is_empty() {
        return Err(Error::BadDefinition("empty name for remote field"));
    }
    Ok((name, id))
}

fn read_map(cursor: &mut Cursor<'_>) -> Result<Definition, Error> {
    let (mut name, mut key, mut elem) = (BString::default(), WireId(0), WireId(0));
    let mut field = 0;
    while next_field(cursor, &mut field, 3)? {
        match field {
            1 => name = read_common(cursor)?,
            2 => key = read_id(cursor)?,
            _ => elem = read_id(cursor)?,
        }
    }
    Ok(Definition {
        name,
        shape: Shape::Map { key, elem },
    })
}

fn read_encoder(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Definition, Error> {
    let mut name = BString::default();
    let mut field = 0;
    while next_field(cursor, &mut field, 1)? {
        name = read_common(cursor)?;
    }
    Ok(Definition { name, shape })
}

/// Appends the payload of a definition message: the negated id and the wire type.
pub(crate) fn write(out: &mut Vec<u8>, id: WireId, definition: &Definition) {
    put_int(out, -i64::from(id.0));
    let kind = match definition.shape {
        Shape::Array { .. } => 1,
        Shape::Slice { .. } => 2,
        Shape::Struct { .. } => 3,
        Shape::Map { .. } => 4,
        Shape::GobEncoder => 5,
        Shape::Marshaler => 6,
    };
    put_uint(out, kind);
    put_uint(out, 1);
    if definition.name.is_empty() {
        put_uint(out, 2);
    } else {
        put_uint(out, 1);
        put_bytes(out, &definition.name);
        put_uint(out, 1);
    }
    put_int(out, i64::from(id.0));
    put_uint(out, 0);
    match &definition.shape {
        Shape::Array { elem, len } => {
            put_field_id(out, *elem);
            if *len > 0 {
                put_uint(out, 1);
                put_int(out, *len as i64);
            }
        }
        Shape::Slice { elem } => put_field_id(out, *elem),
        Shape::Map { key, elem } => {
            put_field_id(out, *key);
            put_field_id(out, *elem);
        }
        Shape::Struct { fields } if !fields.is_empty() => {
            put_uint(out, 1);
            put_uint(out, fields.len() as u64);
            for (name, id) in fields {
                put_uint(out, 1);
                put_bytes(out, name);
                put_field_id(out, *id);
                put_uint(out, 0);
            }
        }
        Shape::Struct { .. } | Shape::GobEncoder | Shape::Marshaler => {}
    }
    put_uint(out, 0);
    put_uint(out, 0);
}

fn put_field_id(out: &mut Vec<u8>, id: WireId) {
    put_uint(out, 1);
    put_int(out, i64::from(id.0));
}
