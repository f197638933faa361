//! How values of a wire type are decoded into a local type, worked out once for each pair of the two.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::limits::{Limits, MAX_PLAN_STEPS};
use crate::types::{Shape, Types, WireId, shown};

/// A field's name and its type's [`Gob::plan`](crate::Gob::plan).
pub type FieldPlan = (&'static str, fn(&mut Planner<'_>, WireId) -> Result<Plan, Error>);

/// A plan of one decoder, to be handed back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan(u32);

impl Plan {
    /// For types without parts, which need no plan.
    pub const LEAF: Self = Self(u32::MAX);
}

/// What to do with one field of a wire struct.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Index of the local field, or [`Step::SKIP`].
    pub(crate) target: u32,
    pub(crate) plan: Plan,
    pub(crate) wire: WireId,
}

impl Step {
    pub(crate) const SKIP: u32 = u32::MAX;
}

enum Node {
    /// Being compiled: the type contains itself.
    Pending,
    Struct {
        steps: Vec<Step>,
        mismatch: Option<&'static str>,
    },
    /// Key and element; slices and arrays have the latter only.
    Elements { key: Plan, elem: Plan },
    /// The wire type and plan last seen for each variant.
    Interface { variants: Vec<Option<(WireId, Plan)>> },
}

/// All plans of one decoder.
#[derive(Default)]
pub(crate) struct Plans {
    nodes: Vec<Node>,
    by_pair: HashMap<(TypeId, WireId), Plan>,
    /// Ids under which everything is known to be defined.
    closed: HashSet<WireId>,
    steps: usize,
}

impl Plans {
    /// Forgets everything: the types that the plans were made from have changed.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline]
    pub(crate) fn step(&self, plan: Plan, field: usize) -> Option<Step> {
        match self.nodes.get(plan.0 as usize) {
            Some(Node::Struct { steps, .. }) => steps.get(field).copied(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn key_and_elem(&self, plan: Plan) -> (Plan, Plan) {
        match self.nodes.get(plan.0 as usize) {
            Some(Node::Elements { key, elem }) => (*key, *elem),
            _ => (Plan::LEAF, Plan::LEAF),
        }
    }

    #[inline]
    pub(crate) fn variant(&self, plan: Plan, index: usize) -> Option<(WireId, Plan)> {
        match self.nodes.get(plan.0 as usize) {
            Some(Node::Interface { variants }) => *variants.get(index)?,
            _ => None,
        }
    }

    pub(crate) fn remember_variant(&mut self, interface: Plan, index: usize, id: WireId, plan: Plan) {
        if let Some(Node::Interface { variants }) = self.nodes.get_mut(interface.0 as usize) {
            if variants.len() <= index {
                variants.resize(index + 1, None);
            }
            variants[index] = Some((id, plan));
        }
    }

    /// Fails for a struct none of whose fields has a counterpart. Only whole values are held to this: Go lets nested
    /// structs pass (gob.md §4).
    pub(crate) fn check_match(&self, plan: Plan) -> Result<(), Error> {
        match self.nodes.get(plan.0 as usize) {
            Some(Node::Struct {
                mismatch: Some(local),
                ..
            }) => Err(Error::NoFieldsMatched { local }),
            _ => Ok(()),
        }
    }
}

/// Compiles plans. `T` is the local type being planned for, by which the plan is known from then on.
pub struct Planner<'a> {
    pub(crate) types: &'a Types,
    pub(crate) plans: &'a mut Plans,
    pub(crate) limits: &'a Limits,
    pub(crate) depth: usize,
}

impl Planner<'_> {
    /// A type without parts, which must have been sent as `want`. `local` names it for people.
    pub fn leaf(&mut self, local: &'static str, want: WireId, wire: WireId) -> Result<Plan, Error> {
        if wire == want {
            Ok(Plan::LEAF)
        } else {
            Err(self.mismatch(local, wire))
        }
    }

    /// A type with an encoding of its own; it must have been sent as one (gob.md §6).
    pub fn gob_encoder(&mut self, local: &'static str, wire: WireId) -> Result<Plan, Error> {
        match self.shape(wire) {
            Some(Shape::GobEncoder) => Ok(Plan::LEAF),
            _ => Err(self.mismatch(local, wire)),
        }
    }

    /// A slice.
    pub fn slice<T: 'static>(
        &mut self,
        wire: WireId,
        elem: impl FnOnce(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
    ) -> Result<Plan, Error> {
        let Some(&Shape::Slice { elem: id }) = self.shape(wire) else {
            return Err(self.mismatch("slice", wire));
        };
        self.node::<T>(wire, |p| {
            Ok(Node::Elements {
                key: Plan::LEAF,
                elem: elem(p, id)?,
            })
        })
    }

    /// An array of `len` elements.
    pub fn array<T: 'static>(
        &mut self,
        wire: WireId,
        len: usize,
        elem: impl FnOnce(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
    ) -> Result<Plan, Error> {
        match self.shape(wire) {
            Some(&Shape::Array { elem: id, len: sent }) if sent == len as u64 => self.node::<T>(wire, |p| {
                Ok(Node::Elements {
                    key: Plan::LEAF,
                    elem: elem(p, id)?,
                })
            }),
            _ => Err(self.mismatch("array", wire)),
        }
    }

    /// A map.
    pub fn map<T: 'static>(
        &mut self,
        wire: WireId,
        key: impl FnOnce(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
        elem: impl FnOnce(&mut Planner<'_>, WireId) -> Result<Plan, Error>,
    ) -> Result<Plan, Error> {
        let Some(&Shape::Map {
            key: key_id,
            elem: elem_id,
        }) = self.shape(wire)
        else {
            return Err(self.mismatch("map", wire));
        };
        self.node::<T>(wire, |p| {
            Ok(Node::Elements {
                key: key(p, key_id)?,
                elem: elem(p, elem_id)?,
            })
        })
    }

    /// An interface, whose implementers are planned for when they come.
    pub fn interface<T: 'static>(&mut self, local: &'static str, wire: WireId) -> Result<Plan, Error> {
        if wire != WireId::INTERFACE {
            return Err(self.mismatch(local, wire));
        }
        self.node::<T>(wire, |_| Ok(Node::Interface { variants: Vec::new() }))
    }

    /// A struct of these fields, matched by name.
    pub fn structure<T: 'static>(
        &mut self,
        local: &'static str,
        wire: WireId,
        fields: &'static [FieldPlan],
    ) -> Result<Plan, Error> {
        // The definition is shared, so that the planner stays free for the fields.
        let definition = self.types.get(wire).cloned();
        let Some(Shape::Struct { fields: sent }) = definition.as_deref().map(|d| &d.shape) else {
            let known = definition.is_some() || (1..=WireId::LAST_PREDEFINED).contains(&wire.0);
            return Err(if known {
                Error::NotAStruct { local }
            } else {
                Error::UnknownType { id: wire }
            });
        };
        self.node::<T>(wire, |p| {
            p.plans.steps = p.plans.steps.saturating_add(sent.len());
            if p.plans.steps > MAX_PLAN_STEPS {
                return Err(Error::TooLarge {
                    what: "number of struct fields",
                    limit: MAX_PLAN_STEPS,
                });
            }
            let mut steps = Vec::with_capacity(sent.len());
            for (name, id) in sent {
                let Some(target) = fields
                    .iter()
                    .position(|(local, _)| local.as_bytes() == name.as_slice())
                else {
                    p.check_closed(*id)?;
                    steps.push(Step {
                        target: Step::SKIP,
                        plan: Plan::LEAF,
                        wire: *id,
                    });
                    continue;
                };
                let plan = fields[target].1(p, *id).map_err(|error| match error {
                    Error::Mismatch { local, .. } => {
                        let structure = p.types.name(wire);
                        Error::WrongField {
                            local,
                            field: format!("{structure}.{}", shown(name)),
                        }
                    }
                    other => other,
                })?;
                steps.push(Step {
                    target: target as u32,
                    plan,
                    wire: *id,
                });
            }
            let matched = steps.iter().any(|step| step.target != Step::SKIP);
            let mismatch = (!matched && !steps.is_empty() && !fields.is_empty()).then_some(local);
            Ok(Node::Struct { steps, mismatch })
        })
    }

    fn shape(&self, wire: WireId) -> Option<&Shape> {
        self.types.get(wire).map(|definition| &definition.shape)
    }

    fn mismatch(&self, local: &str, wire: WireId) -> Error {
        Error::Mismatch {
            local: local.to_owned(),
            remote: self.types.name(wire),
        }
    }

    /// Compiles a plan with parts, unless it is there or under way.
    fn node<T: 'static>(
        &mut self,
        wire: WireId,
        compile: impl FnOnce(&mut Self) -> Result<Node, Error>,
    ) -> Result<Plan, Error> {
        let pair = (TypeId::of::<T>(), wire);
        if let Some(&plan) = self.plans.by_pair.get(&pair) {
            return Ok(plan);
        }
        if self.depth >= self.limits.max_depth {
            return Err(Error::TooLarge {
                what: "nesting of types",
                limit: self.limits.max_depth,
            });
        }
        self.depth += 1;
        let index = self.plans.nodes.len();
        let plan = Plan(index as u32);
        self.plans.nodes.push(Node::Pending);
        self.plans.by_pair.insert(pair, plan);
        self.plans.nodes[index] = compile(self)?;
        self.depth -= 1;
        Ok(plan)
    }

    /// Fails unless everything that a value of this type can contain is defined.
    fn check_closed(&mut self, id: WireId) -> Result<(), Error> {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if (1..=WireId::INTERFACE.0).contains(&id.0) || !self.plans.closed.insert(id) {
                continue;
            }
            match self.shape(id).ok_or(Error::UnknownType { id })? {
                Shape::Array { elem, .. } | Shape::Slice { elem } => pending.push(*elem),
                Shape::Map { key, elem } => pending.extend([*key, *elem]),
                Shape::Struct { fields } => pending.extend(fields.iter().map(|(_, id)| *id)),
                Shape::GobEncoder | Shape::Marshaler => {}
            }
        }
        Ok(())
    }
}
