//! What is signed.

/// A request as signatures see it.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Method, upper case.
    pub method: &'a str,
    /// Path and query as they were sent.
    pub url: &'a str,
    /// The value of a header by its lower-case name; several of one name joined by `, `.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

/// The text that is signed: a line for each name, without a line feed at the end.
///
/// # Errors
/// A header that is not in the request; what the client is told.
pub fn signing_string(request: &SignedRequest<'_>, names: &[String]) -> Result<String, String> {
    let line = |name: &String| match name.as_str() {
        "request-line" => Ok(format!("{} {} HTTP/1.1", request.method, request.url)),
        "(request-target)" => Ok(format!(
            "(request-target): {} {}",
            request.method.to_ascii_lowercase(),
            request.url
        )),
        name => match (request.header)(name).filter(|value| !value.is_empty()) {
            Some(value) => Ok(format!("{name}: {value}")),
            None => Err(format!("{name} was not in the request")),
        },
    };
    let lines: Result<Vec<String>, String> = names.iter().map(line).collect();
    Ok(lines?.join("\n"))
}
