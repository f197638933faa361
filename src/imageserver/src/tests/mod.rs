//! The methods and pages with real actors on real directories, over a real socket; the client is ours.

mod bench;
mod objects;
mod pages;
mod waiting;
