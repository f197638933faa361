//! A small reader of gob streams without Rust types: values come out as JSON.
//!
//! Written from `gob.md` §2 to §6 alone, and on purpose independent of crate `gob`: it is the judge of what our
//! programs send. It trusts its input (recordings and our own servers) and fails with a sentence where that is wrong.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const FIRST_TYPE_OF_A_STREAM: i64 = 64;

enum Shape {
    /// Element and length.
    Array(i64, i64),
    Slice(i64),
    Struct(Vec<(String, i64)>),
    Map(i64, i64),
    Opaque,
}

/// Reads the values of one direction of one call: they share one dictionary of types.
pub struct GobValues<'a> {
    bytes: &'a [u8],
    position: usize,
    message_end: usize,
    shapes: HashMap<i64, Shape>,
    names: HashMap<i64, String>,
    /// Type of the last value.
    last: i64,
}

impl<'a> GobValues<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            message_end: 0,
            shapes: HashMap::new(),
            names: HashMap::new(),
            last: 0,
        }
    }

    /// Bytes taken so far: raw bytes and text lines may follow directly.
    pub fn consumed(&self) -> usize {
        self.position
    }

    /// The next value. Zero fields are absent, as on the wire.
    pub fn next_value(&mut self) -> Result<Value> {
        loop {
            self.begin_message()?;
            let id = self.signed()?;
            if id < 0 {
                self.definition(-id)?;
                continue;
            }
            if !matches!(self.shapes.get(&id), Some(Shape::Struct(_))) {
                ensure!(
                    self.unsigned()? == 0,
                    "a top-level value that is no struct starts with 0"
                );
            }
            self.last = id;
            let value = self.value(id)?;
            ensure!(self.position == self.message_end, "bytes left over in a message");
            return Ok(value);
        }
    }

    /// What the sender said the last value is: the fields of a struct in their order, `Name kind; Name kind`, where
    /// a kind is a basic type, `[]kind`, `[length]kind`, `map[kind]kind` or the name of a struct or opaque type.
    pub fn last_type(&self) -> String {
        let Some(Shape::Struct(fields)) = self.shapes.get(&self.last) else {
            return self.kind(self.last);
        };
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, id)| format!("{name} {}", self.kind(*id)))
            .collect();
        fields.join("; ")
    }

    fn kind(&self, id: i64) -> String {
        let basic = match id {
            1 => "bool",
            2 => "int",
            3 => "uint",
            4 => "float",
            5 => "[]byte",
            6 => "string",
            8 => "interface",
            _ => "",
        };
        match self.shapes.get(&id) {
            None => basic.to_owned(),
            Some(Shape::Array(element, length)) => format!("[{length}]{}", self.kind(*element)),
            Some(Shape::Slice(element)) => format!("[]{}", self.kind(*element)),
            Some(Shape::Map(key, element)) => format!("map[{}]{}", self.kind(*key), self.kind(*element)),
            Some(Shape::Struct(_) | Shape::Opaque) => self.names.get(&id).cloned().unwrap_or_default(),
        }
    }

    fn begin_message(&mut self) -> Result<()> {
        let length = self.unsigned()? as usize;
        self.message_end = self.position + length;
        ensure!(
            self.message_end <= self.bytes.len(),
            "message of {length} bytes is cut off"
        );
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.position).context("end of stream")?;
        self.position += 1;
        Ok(byte)
    }

    fn unsigned(&mut self) -> Result<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = 0;
        for _ in 0..first.wrapping_neg() {
            value = value << 8 | u64::from(self.byte()?);
        }
        Ok(value)
    }

    fn signed(&mut self) -> Result<i64> {
        let raw = self.unsigned()?;
        Ok(if raw & 1 == 1 {
            !((raw >> 1) as i64)
        } else {
            (raw >> 1) as i64
        })
    }

    fn text(&mut self) -> Result<&'a [u8]> {
        let length = self.unsigned()? as usize;
        let end = self.position + length;
        let text = self.bytes.get(self.position..end).context("text is cut off")?;
        self.position = end;
        Ok(text)
    }

    /// The wire type of `id` (`gob.md` §3.2), whose own layout is fixed.
    fn definition(&mut self, id: i64) -> Result<()> {
        ensure!(
            id >= FIRST_TYPE_OF_A_STREAM,
            "definition of the built-in type {id}"
        );
        let kind = self.unsigned()?;
        let mut field = -1i64;
        let (mut ids, mut fields) = (Vec::new(), Vec::new());
        loop {
            let delta = self.unsigned()? as i64;
            if delta == 0 {
                break;
            }
            field += delta;
            match (field, kind) {
                (0, _) => {
                    let name = self.common_type()?;
                    self.names.insert(id, name);
                }
                (1, 3) => {
                    for _ in 0..self.unsigned()? {
                        fields.push(self.field_type()?);
                    }
                }
                _ => ids.push(self.signed()?),
            }
        }
        ensure!(self.unsigned()? == 0, "a wire type has one field");
        let shape = match kind {
            1 => Shape::Array(ids[0], ids[1]),
            2 => Shape::Slice(ids[0]),
            3 => Shape::Struct(fields),
            4 => Shape::Map(ids[0], ids[1]),
            5 => Shape::Opaque,
            other => bail!("wire type of kind {other}"),
        };
        ensure!(
            self.shapes.insert(id, shape).is_none(),
            "type {id} is defined twice"
        );
        Ok(())
    }

    fn common_type(&mut self) -> Result<String> {
        let (mut name, mut field) = (String::new(), -1i64);
        loop {
            match self.unsigned()? as i64 {
                0 => return Ok(name),
                delta => field += delta,
            }
            if field == 0 {
                name = String::from_utf8_lossy(self.text()?).into_owned();
            } else {
                self.signed()?;
            }
        }
    }

    fn field_type(&mut self) -> Result<(String, i64)> {
        let (mut name, mut id, mut field) = (String::new(), 0, -1i64);
        loop {
            match self.unsigned()? as i64 {
                0 => return Ok((name, id)),
                delta => field += delta,
            }
            if field == 0 {
                name = String::from_utf8_lossy(self.text()?).into_owned();
            } else {
                id = self.signed()?;
            }
        }
    }

    fn value(&mut self, id: i64) -> Result<Value> {
        Ok(match id {
            1 => json!(self.unsigned()? != 0),
            2 => json!(self.signed()?),
            3 => json!(self.unsigned()?),
            5 => json!(hex::encode(self.text()?)),
            6 => json!(String::from_utf8_lossy(self.text()?)),
            8 => self.interface()?,
            _ => self.composite(id)?,
        })
    }

    fn composite(&mut self, id: i64) -> Result<Value> {
        match self
            .shapes
            .get(&id)
            .with_context(|| format!("type {id} is not defined"))?
        {
            Shape::Opaque => Ok(json!(hex::encode(self.text()?))),
            &Shape::Array(element, _) | &Shape::Slice(element) => {
                let count = self.unsigned()?;
                (0..count)
                    .map(|_| self.value(element))
                    .collect::<Result<Vec<_>>>()
                    .map(Value::from)
            }
            &Shape::Map(key, element) => {
                let mut map = Map::new();
                for _ in 0..self.unsigned()? {
                    let key = match self.value(key)? {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    map.insert(key, self.value(element)?);
                }
                map.sort_keys();
                Ok(Value::Object(map))
            }
            Shape::Struct(fields) => {
                let fields = fields.clone();
                let mut map = Map::new();
                let mut field = -1i64;
                loop {
                    match self.unsigned()? as i64 {
                        0 => return Ok(Value::Object(map)),
                        delta => field += delta,
                    }
                    let (name, id) = fields.get(field as usize).context("field number out of range")?;
                    map.insert(name.clone(), self.value(*id)?);
                }
            }
        }
    }

    /// `gob.md` §5: definitions may stand inside, and end the message.
    fn interface(&mut self) -> Result<Value> {
        let name = String::from_utf8_lossy(self.text()?).into_owned();
        if name.is_empty() {
            return Ok(Value::Null);
        }
        let id = loop {
            let id = self.signed()?;
            if id >= 0 {
                break id;
            }
            self.definition(-id)?;
            if self.position == self.message_end {
                self.begin_message()?;
            }
        };
        let length = self.unsigned()? as usize;
        let start = self.position;
        let value = self.value(id)?;
        ensure!(self.position == start + length, "{name}: its byte count is wrong");
        Ok(json!({ name: value }))
    }
}
