//! What a type does to travel as gob.

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::writer::Writer;

/// A type that can be sent and received; `#[derive(Gob)]` implements it.
///
/// # On structs
///
/// Fields travel under their names in upper camel case (`image_name` is `ImageName`). `#[gob(name = "URL")]` gives
/// another name, to a field or to the struct; `#[gob(skip)]` leaves a field out, which then has its `Default` after
/// decoding.
///
/// ```
/// #[derive(gob::Gob, Debug, PartialEq)]
/// #[gob(name = "Annotation")]
/// struct Note {
///     object: Option<[u8; 64]>,
///     #[gob(name = "URL")]
///     url: String,
/// }
/// let note = Note { object: None, url: "http://localhost".into() };
/// let bytes = gob::to_vec(&note);
/// assert_eq!(gob::from_slice::<Note>(&bytes, gob::Limits::default()), Ok((note, bytes.len())));
/// ```
///
/// # On newtypes
///
/// `#[gob(transparent)]` sends the inner value; with `name` it is a Go type of its own, as `type Hash [64]byte` is.
/// `#[gob(map)]` on a newtype over `Vec<(K, V)>` sends a map; it is received in the sender's order, which is none
/// at all, and handed to the newtype's `From<Vec<(K, V)>>`.
///
/// # On enums
///
/// `#[gob(interface)]` makes an interface of an enum, each variant holding one implementer with its registered
/// name: `#[gob(name = "*filesystem.RegularInode")] Regular(RegularInode)`. nil is an error for such an enum, and
/// `None` for an `Option` of it.
///
/// # By hand
///
/// The methods must agree with each other: `encode` writes what `describe` promised, and `decode` reads it.
pub trait Gob: Sized + 'static {
    /// Whether values are structs: others have a 0 before them when they stand for themselves (gob.md §3).
    const IS_STRUCT: bool = false;

    /// Tells an encoder what the type is made of.
    fn describe(describer: &mut Describer<'_>) -> WireId;

    /// Works out how values of the type `wire` become `Self`.
    ///
    /// # Errors
    /// They cannot: kinds or lengths differ (gob.md §4).
    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error>;

    /// What a field is when it was not sent.
    ///
    /// # Errors
    /// There is no such value: an interface's implementer is needed.
    fn absent() -> Result<Self, Error>;

    /// Whether a field is left out for having this value.
    fn is_omitted(&self) -> bool {
        false
    }

    /// Writes the value.
    fn encode(&self, writer: &mut Writer<'_>);

    /// Reads a value.
    ///
    /// # Errors
    /// The bytes are wrong, or more than the limits allow.
    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error>;

    /// Writes what stands for a nil pointer where one cannot be left out, as in a list: the zero value.
    #[doc(hidden)]
    fn encode_none(writer: &mut Writer<'_>) {
        match Self::absent() {
            Ok(value) => value.encode(writer),
            Err(_) => writer.uint(0),
        }
    }

    /// Reads the value of a pointer; only interfaces have a nil to find here.
    #[doc(hidden)]
    fn decode_option(reader: &mut Reader<'_>, plan: Plan) -> Result<Option<Self>, Error> {
        Self::decode(reader, plan).map(Some)
    }

    // `[]byte` is not a list of bytes and arrays of bytes want speed: `u8` replaces what follows.

    #[doc(hidden)]
    fn describe_slice(describer: &mut Describer<'_>) -> WireId {
        describer.slice::<Vec<Self>>(Self::describe)
    }

    #[doc(hidden)]
    fn plan_slice(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.slice::<Vec<Self>>(wire, Self::plan)
    }

    #[doc(hidden)]
    fn encode_slice(values: &[Self], writer: &mut Writer<'_>) {
        writer.uint(values.len() as u64);
        values.iter().for_each(|value| value.encode(writer));
    }

    #[doc(hidden)]
    fn decode_slice(reader: &mut Reader<'_>, plan: Plan) -> Result<Vec<Self>, Error> {
        let count = reader.uint()?;
        crate::values::decode_elements(reader, plan, count)
    }

    #[doc(hidden)]
    fn absent_array<const N: usize>() -> Result<[Self; N], Error> {
        let values = (0..N).map(|_| Self::absent()).collect::<Result<Vec<_>, _>>()?;
        values.try_into().map_err(|_| Error::ArrayLength {
            got: 0,
            want: N as u64,
        })
    }

    #[doc(hidden)]
    fn encode_array<const N: usize>(values: &[Self; N], writer: &mut Writer<'_>) {
        writer.uint(N as u64);
        values.iter().for_each(|value| value.encode(writer));
    }

    #[doc(hidden)]
    fn decode_array<const N: usize>(reader: &mut Reader<'_>, plan: Plan) -> Result<[Self; N], Error> {
        let (got, want) = (reader.uint()?, N as u64);
        if got != want {
            return Err(Error::ArrayLength { got, want });
        }
        let values = crate::values::decode_elements(reader, plan, got)?;
        values.try_into().map_err(|_| Error::ArrayLength { got, want })
    }
}
