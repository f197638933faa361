//! The headers every page carries (`imageserver.md §9`).

use actix_web::middleware::DefaultHeaders;

/// The middleware that adds them. A handler's own header of the same name stays.
pub fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Frame-Options", "DENY"))
        .add(("X-XSS-Protection", "1"))
        .add((
            "Content-Security-Policy",
            "default-src 'self' ;style-src 'self' 'unsafe-inline'",
        ))
        .add(("X-Content-Type-Options", "nosniff"))
}
