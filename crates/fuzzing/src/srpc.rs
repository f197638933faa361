//! Everything a peer can say on an SRPC connection, from its first byte on, and certificates.

mod certificates;
mod connect;
mod conversation;
mod json;
mod reading;
mod services;
mod stream;

use crate::input::Input;

/// What is looked at, then what that wants.
pub fn srpc(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 8 {
        0 => connect::head(input),
        1 => connect::lines(input),
        2 => reading::script(input),
        3 => conversation::server(input),
        4 => conversation::client(input),
        5 => json::end(input),
        6 => certificates::claims(input),
        _ => certificates::pattern(input),
    }
}
