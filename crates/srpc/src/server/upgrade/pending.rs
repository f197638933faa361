//! Cookies that were given out, and the Unix connections that showed them.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;

use crate::upgrade_messages::{COOKIE_BYTES, new_cookie};

/// Upgrades on their way at a time; further callers stay on TCP.
const PENDING_MAX: usize = 1024;
/// How long a cookie is good for.
const COOKIE_LIFE: Duration = Duration::from_secs(60);

/// An 8-byte secret.
pub(crate) type Cookie = [u8; COOKIE_BYTES];

#[derive(Default)]
pub(crate) struct Pending {
    slots: Mutex<HashMap<Cookie, Slot>>,
}

struct Slot {
    issued: Instant,
    stream: Option<UnixStream>,
}

impl Pending {
    /// A new cookie, good until the returned guard is dropped, and for [`COOKIE_LIFE`]. `None` if there are too many.
    pub(super) fn issue(self: &Arc<Self>) -> Result<Option<Issued>, ErrorStack> {
        let cookie = new_cookie()?;
        let mut slots = self.lock();
        slots.retain(|_, slot| slot.issued.elapsed() < COOKIE_LIFE);
        if slots.len() >= PENDING_MAX {
            return Ok(None);
        }
        slots.insert(
            cookie,
            Slot {
                issued: Instant::now(),
                stream: None,
            },
        );
        Ok(Some(Issued {
            cookie,
            pending: Arc::clone(self),
        }))
    }

    /// Keeps a connection that showed a cookie, and tells it so by a zero byte. A cookie that nobody issued, or shown before,
    /// gets its connection closed.
    pub(super) fn shown(&self, cookie: Cookie, mut stream: UnixStream) {
        let mut slots = self.lock();
        let Some(slot) = slots.get_mut(&cookie) else {
            return;
        };
        if slot.stream.is_some() || slot.issued.elapsed() >= COOKIE_LIFE {
            return;
        }
        // Inside the lock: once the byte is read the caller asks for this connection. One byte always fits into the empty
        // buffer of a new socket, so the lock is not held for long.
        if stream.write_all(&[0]).is_ok() {
            slot.stream = Some(stream);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Cookie, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cookie in the hands of one caller.
pub(super) struct Issued {
    pub(super) cookie: Cookie,
    pending: Arc<Pending>,
}

impl Issued {
    /// The connection that showed the cookie, if one has.
    pub(super) fn redeem(self) -> Option<UnixStream> {
        self.pending
            .lock()
            .remove(&self.cookie)
            .and_then(|slot| slot.stream)
    }
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.cookie);
    }
}
