//! The JSON form under `/metricsapi/`.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::value::{exact_seconds, since_epoch};
use super::{Bucket, Distribution, Sample, Value};

/// The members in the order the original writes them.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    description: &'a str,
    unit: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u8>,
    value: Json,
    timestamp: String,
    #[serde(rename = "groupId")]
    group_id: u8,
}

/// A list of objects, indented with tabs.
pub(super) fn list(samples: &[Sample], now: SystemTime) -> Result<Vec<u8>, serde_json::Error> {
    let objects: Vec<Object<'_>> = samples.iter().map(|sample| object(sample, now)).collect();
    indented(&objects)
}

/// One object.
pub(super) fn single(sample: &Sample, now: SystemTime) -> Result<Vec<u8>, serde_json::Error> {
    indented(&object(sample, now))
}

fn indented(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
    Ok(bytes)
}

fn object(sample: &Sample, now: SystemTime) -> Object<'_> {
    let bits = matches!(
        sample.value,
        Value::Unsigned(_) | Value::Signed(_) | Value::Float(_)
    )
    .then_some(64);
    Object {
        path: &sample.path,
        description: &sample.description,
        unit: sample.unit.word(),
        kind: sample.value.kind(),
        bits,
        value: value(&sample.value),
        timestamp: exact_seconds(since_epoch(now)),
        group_id: 0,
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Unsigned(value) => json!(value),
        Value::Signed(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Boolean(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Time(value) => json!(exact_seconds(since_epoch(*value))),
        Value::Duration(value) => json!(exact_seconds(*value)),
        Value::Distribution(value) => distribution(value),
    }
}

fn distribution(value: &Distribution) -> Json {
    let bound = |bound: Option<f64>| bound.unwrap_or(0.0);
    let range = |bucket: &Bucket| json!({"lower": bound(bucket.lower), "upper": bound(bucket.upper), "count": bucket.count});
    json!({
        "min": value.min,
        "max": value.max,
        "average": value.average(),
        "median": value.median,
        "sum": value.sum,
        "count": value.count,
        "generation": value.count,
        "ranges": value.buckets.iter().map(range).collect::<Vec<_>>(),
    })
}
