//! The pure core of a repository of images with a REST API, IMGAPI: what a manifest may be, who sees what, what a list
//! holds, what an error says, whose signature a request has, where things lie.
//!
//! Promises:
//! * No I/O, no clock, no thread: bytes and times come in, values and texts go out.
//! * Answers have the original's bytes: order of keys, forms of numbers, entity tags, texts of errors. Where the original
//!   is defective the better answer of the specification is given; `tests/` names each such place.
//! * Nothing panics on what a client sent, and what a client sent is bounded before it costs memory.
//! * A list over 100,000 images costs less than a millisecond of filtering, whatever the filter.
//!
//! Lacks on purpose: the store, jobs, downloads, any web framework's type.
//!
//! | module | what |
//! | --- | --- |
//! | [`json`] | JSON as JavaScript has it, bounded |
//! | [`manifest`] | rules, stored and public forms, the life of an image |
//! | [`access`], [`channels`] | who sees and changes what, in which part of the repository |
//! | [`list`], [`catalogue`] | what a list asks for, and the snapshot that answers it |
//! | [`http`] | endpoints, versions, conditions, ranges, parameters, bodies |
//! | [`job`] | jobs as clients poll them |
//! | [`remote`] | what is taken from other repositories, in which order, what is refused |
//! | [`publish`] | names of a content-addressed store's images here |
//! | [`transfer`] | checks of uploads and downloads |
//! | [`error`] | the errors clients see |
//! | [`signature`] | HTTP Signature with SSH keys, both sides |
//! | [`configuration`] | its keys, merged, computed and checked |
//! | [`layout`], [`digest`], [`dates`], [`uuid`] | names on disk, digests, times, names of images |

pub mod access;
pub mod catalogue;
pub mod channels;
pub mod configuration;
pub mod dates;
pub mod digest;
pub mod error;
pub mod http;
pub mod job;
pub mod json;
pub mod layout;
pub mod list;
pub mod manifest;
pub mod publish;
pub mod remote;
pub mod signature;
pub mod transfer;
pub mod uuid;

pub use error::{ApiError, Code, Result};
pub use uuid::Uuid;
