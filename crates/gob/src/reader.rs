//! What a type's decoder reads from.

use crate::cursor::Cursor;
use crate::error::Error;
use crate::frame::{Frame, frame};
use crate::limits::Limits;
use crate::plan::{Plan, Planner, Plans, Step};
use crate::types::{Types, WireId};

/// A place in a value, which may run over several messages.
pub struct Reader<'a> {
    pub(crate) input: &'a [u8],
    /// The current message is the last part of the cursor's data, which starts where the input does.
    pub(crate) cursor: Cursor<'a>,
    pub(crate) types: &'a mut Types,
    pub(crate) plans: &'a mut Plans,
    pub(crate) limits: &'a Limits,
    /// Bytes of memory the value may still take.
    pub(crate) budget: usize,
    pub(crate) depth: usize,
    pub(crate) continuations: usize,
    /// Set when the value goes on in a message that is not all there: where it starts, what the input must reach.
    pub(crate) short: Option<(usize, usize)>,
}

/// A place in a struct.
pub struct Fields {
    plan: Plan,
    /// Number of the next field that could come.
    next: usize,
}

impl<'a> Reader<'a> {
    /// An unsigned integer.
    #[inline]
    pub fn uint(&mut self) -> Result<u64, Error> {
        self.cursor.uint()
    }

    /// A signed integer.
    #[inline]
    pub fn int(&mut self) -> Result<i64, Error> {
        self.cursor.int()
    }

    /// A length and that many bytes. Whoever keeps them pays by [`Reader::charge`].
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        self.cursor.bytes()
    }

    /// Bytes of the current message not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.cursor.data[self.cursor.pos..]
    }

    /// Counts memory that the value takes, in bytes.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), Error> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(Error::TooLarge {
                what: "decoded value in bytes",
                limit: self.limits.max_value_bytes,
            }),
        }
    }

    /// How many of `count` elements of `size` bytes to make room for at once: a count is only believed as far as
    /// the input bears it out, since each element takes a byte at least. The room is charged.
    pub fn room_for(&mut self, count: u64, size: usize) -> Result<usize, Error> {
        let at_hand = self.input.len() - self.cursor.pos;
        let room = (at_hand.saturating_mul(2) + 1024) / size.max(1);
        let room = room
            .min(at_hand)
            .min(usize::try_from(count).unwrap_or(usize::MAX));
        self.charge(room.saturating_mul(size))?;
        Ok(room)
    }

    /// Goes one level deeper. A failed decoding is over, so only success needs [`Reader::leave`].
    #[inline]
    pub fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.limits.max_depth {
            return Err(Error::TooLarge {
                what: "nesting of values",
                limit: self.limits.max_depth,
            });
        }
        Ok(())
    }

    /// Comes back up.
    #[inline]
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The plan for the elements of a slice or an array.
    #[inline]
    pub fn elem_plan(&self, plan: Plan) -> Plan {
        self.plans.key_and_elem(plan).1
    }

    /// The plans for the keys and elements of a map.
    #[inline]
    pub fn map_plans(&self, plan: Plan) -> (Plan, Plan) {
        self.plans.key_and_elem(plan)
    }

    /// Starts a struct.
    #[inline]
    pub fn begin_struct(&mut self, plan: Plan) -> Result<Fields, Error> {
        self.enter()?;
        Ok(Fields { plan, next: 0 })
    }

    /// The next field that was sent and exists here: its local index and its plan. Skips those that do not exist
    /// here. `None` at the struct's end.
    #[inline]
    pub fn next_field(&mut self, fields: &mut Fields) -> Result<Option<(u32, Plan)>, Error> {
        loop {
            let delta = self.cursor.uint()?;
            if delta == 0 {
                self.leave();
                return Ok(None);
            }
            let field = usize::try_from(delta - 1)
                .ok()
                .and_then(|delta| fields.next.checked_add(delta));
            let field = field.ok_or(Error::FieldNumber)?;
            let step = self.plans.step(fields.plan, field).ok_or(Error::FieldNumber)?;
            fields.next = field + 1;
            if step.target != Step::SKIP {
                return Ok(Some((step.target, step.plan)));
            }
            self.skip(step.wire)?;
        }
    }

    /// The 0 before a value that is no struct and stands for itself (gob.md §3).
    pub(crate) fn singleton(&mut self) -> Result<(), Error> {
        if self.cursor.uint()? == 0 {
            Ok(())
        } else {
            Err(Error::Singleton)
        }
    }

    /// The plan for a whole value, which must have something in common with its type.
    pub(crate) fn compile(
        &mut self,
        id: WireId,
        plan: fn(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
    ) -> Result<Plan, Error> {
        let mut planner = Planner {
            types: self.types,
            plans: self.plans,
            limits: self.limits,
            depth: 0,
        };
        let plan = plan(&mut planner, id)?;
        self.plans.check_match(plan)?;
        Ok(plan)
    }

    /// Reads definitions inside an interface value up to the concrete type's id, going on to the next message where
    /// one ends (gob.md §5.2).
    pub(crate) fn type_sequence(&mut self) -> Result<WireId, Error> {
        loop {
            if self.cursor.remaining() == 0 {
                self.next_message()?;
            }
            let id = self.cursor.int()?;
            if id >= 0 {
                return Ok(WireId(i32::try_from(id).unwrap_or(0)));
            }
            self.types
                .define(id.wrapping_neg(), &mut self.cursor, self.limits)?;
            if self.cursor.remaining() > 0 {
                // A definition inside an outer interface's value: the byte count of what follows it.
                self.cursor.uint()?;
            }
        }
    }

    fn next_message(&mut self) -> Result<(), Error> {
        self.continuations += 1;
        if self.continuations > self.limits.max_continuations {
            return Err(Error::TooLarge {
                what: "number of messages of one value",
                limit: self.limits.max_continuations,
            });
        }
        let start = self.cursor.pos;
        match frame(self.input, start, self.limits)? {
            Frame::Whole { body, end } => {
                self.cursor = Cursor {
                    data: &self.input[..end],
                    pos: body,
                };
                Ok(())
            }
            Frame::Short { at_least } => {
                self.short = Some((start, at_least));
                Err(Error::UnexpectedEnd)
            }
        }
    }
}
