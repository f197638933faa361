//! What holds if the instance file does not say otherwise.

use crate::json::Object;
use serde_json::json;

/// The defaults: a public repository on the loopback address, local store, signatures for changes.
pub fn defaults() -> Object {
    let value = json!({
        "port": 8080,
        "address": "127.0.0.1",
        "logLevel": "debug",
        "maxSockets": 100,
        "mode": "public",
        "placeholderImageLifespanDays": 7,
        "allowLocalCreateImageFromVm": false,
        "minImageCreationPlatform": ["7.0", "20130917T001310Z"],
        "authType": "signature",
        "databaseType": "local",
        "storageTypes": ["local"],
        "baseDir": "/data/imgapi",
        "metricsPort": 8881,
        "acceptSha1Signatures": true,
        "hideInactiveImages": false,
    });
    value.as_object().cloned().unwrap_or_default()
}
