//! Interface values: a registered name, a concrete type, a value (gob.md §5).

use crate::describe::Describer;
use crate::error::Error;
use crate::limits::MAX_REGISTERED_NAME_BYTES;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;

/// One implementer of an interface.
pub struct Variant {
    /// The registered name, such as `*filesystem.RegularInode`.
    pub name: &'static str,
    pub(crate) describe: fn(&mut Describer<'_>) -> WireId,
    pub(crate) plan: fn(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
    pub(crate) is_struct: bool,
}

impl Variant {
    /// The implementer `T`, registered as `name`.
    pub const fn new<T: Gob>(name: &'static str) -> Self {
        Self {
            name,
            describe: T::describe,
            plan: T::plan,
            is_struct: T::IS_STRUCT,
        }
    }
}

impl Reader<'_> {
    /// Reads an interface value up to the concrete value: the index of its variant and the plan to decode it by;
    /// `None` if it is nil. [`Reader::end_interface`] follows the concrete value.
    pub fn begin_interface(
        &mut self,
        plan: Plan,
        variants: &'static [Variant],
    ) -> Result<Option<(usize, Plan)>, Error> {
        let name = self.cursor.bytes()?;
        if name.is_empty() {
            return Ok(None);
        }
        check_name(name)?;
        let Some(index) = variants
            .iter()
            .position(|variant| variant.name.as_bytes() == name)
        else {
            return Err(Error::UnknownName {
                name: String::from_utf8_lossy(name).into_owned(),
            });
        };
        self.enter()?;
        let id = self.concrete_type()?;
        let variant = &variants[index];
        let plan = self.variant_plan(plan, index, id, variant)?;
        if !variant.is_struct {
            self.singleton()?;
        }
        Ok(Some((index, plan)))
    }

    /// Ends what [`Reader::begin_interface`] began, unless that was nil.
    #[inline]
    pub fn end_interface(&mut self) {
        self.leave();
    }

    /// Skips an interface value by its type; byte counts prove nothing.
    pub(crate) fn skip_interface(&mut self) -> Result<(), Error> {
        let name = self.cursor.bytes()?;
        if name.is_empty() {
            return Ok(());
        }
        check_name(name)?;
        self.enter()?;
        let id = self.concrete_type()?;
        self.skip_top(id)?;
        self.leave();
        Ok(())
    }

    /// The concrete type's id, past any definitions and the byte count, which is of no use here.
    fn concrete_type(&mut self) -> Result<WireId, Error> {
        let id = self.type_sequence()?;
        self.cursor.uint()?;
        Ok(id)
    }

    /// The plan for a variant's type, compiled at its first use.
    fn variant_plan(
        &mut self,
        interface: Plan,
        index: usize,
        id: WireId,
        variant: &Variant,
    ) -> Result<Plan, Error> {
        if let Some((known, plan)) = self.plans.variant(interface, index)
            && known == id
        {
            return Ok(plan);
        }
        let plan = self.compile(id, variant.plan)?;
        self.plans.remember_variant(interface, index, id, plan);
        Ok(plan)
    }
}

fn check_name(name: &[u8]) -> Result<(), Error> {
    if name.len() > MAX_REGISTERED_NAME_BYTES {
        return Err(Error::TooLarge {
            what: "registered name in bytes",
            limit: MAX_REGISTERED_NAME_BYTES,
        });
    }
    Ok(())
}
