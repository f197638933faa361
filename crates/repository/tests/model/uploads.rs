//! Files and icons. Long bodies were recorded as their length and digest only.

use crate::model::images::conditions;
use crate::model::server::Call;
use crate::model::{Answer, Model};
use repository::digest::{Digester, Digests};
use repository::http::{Outcome, Tagged};
use repository::manifest::{FileEntry, IconEntry, Record};
use repository::transfer::{Kind, compression, file_index, icon_type, storage};
use repository::{ApiError, Code, Result, Uuid, dates};
use std::time::UNIX_EPOCH;

/// Length and SHA-1 of `<<N bytes, sha1=H>>`.
fn summary(body: &[u8]) -> Option<(u64, String)> {
    let text = std::str::from_utf8(body)
        .ok()?
        .strip_prefix("<<")?
        .strip_suffix(">>")?;
    let (size, sha1) = text.split_once(" bytes, sha1=")?;
    Some((size.parse().ok()?, sha1.to_owned()))
}

fn digests(body: &[u8]) -> Digests {
    if let Some((size, sha1)) = summary(body) {
        return Digests {
            sha1,
            md5: "unknown".to_owned(),
            size,
        };
    }
    let mut digester = Digester::new().unwrap();
    digester.update(body).unwrap();
    digester.finish().unwrap()
}

impl Model {
    pub fn add_file(&mut self, record: &Record, account: Option<Uuid>, call: &Call<'_>) -> Result<Answer> {
        record.check_files_mutable()?;
        let compression = compression(&call.parameters)?;
        storage(&call.parameters, account)?;
        let announced = call
            .request
            .header("content-length")
            .and_then(|length| length.parse().ok());
        Kind::File.check_announced(announced)?;
        // A body in pieces was recorded with their heads: it was the file that is there already.
        let body = match call.request.header("transfer-encoding") {
            Some(_) => self.files.get(&record.uuid()).unwrap().clone(),
            None => call.request.body.clone(),
        };
        let digests = digests(&body);
        Kind::File.check_whole(&digests, announced, call.parameters.get("sha1").as_deref())?;
        let file = FileEntry {
            sha1: digests.sha1,
            size: digests.size,
            compression,
            dataset_guid: call.parameters.get_nonempty("dataset_guid"),
            stor: "local".to_owned(),
            content_md5: Some(digests.md5),
            mtime: Some(dates::iso(call.minted.now)),
        };
        let record = record.with_file(0, &file)?;
        self.files.insert(record.uuid(), body);
        Ok(self.store_and_show(record, call))
    }

    pub fn add_file_from_url(&self, record: &Record, call: &Call<'_>) -> Result<Answer> {
        record.check_files_mutable()?;
        compression(&call.parameters)?;
        let body = call.body()?;
        let url = body
            .value()
            .and_then(|body| body.get("file_url"))
            .and_then(|url| url.as_str());
        let invalid = |code, message| Err(ApiError::invalid_parameter("file_url", code, message));
        match url {
            None => invalid("Missing", "missing \"file_url\" field from request body"),
            Some(url) if !url.starts_with("https:") => {
                invalid("Invalid", "Only URLs using the https: scheme are supported")
            }
            Some(_) => Err(ApiError::new(Code::Download, "no network here")),
        }
    }

    pub fn add_icon(&mut self, record: &Record, call: &Call<'_>) -> Result<Answer> {
        let content_type = icon_type(call.request.header("content-type"))?;
        let announced = call
            .request
            .header("content-length")
            .and_then(|length| length.parse().ok());
        Kind::Icon.check_announced(announced)?;
        let digests = digests(&call.request.body);
        Kind::Icon.check_whole(&digests, announced, call.parameters.get("sha1").as_deref())?;
        let icon = IconEntry {
            sha1: digests.sha1,
            size: digests.size,
            content_type: content_type.to_owned(),
            content_md5: digests.md5,
            mtime: dates::iso(call.minted.now),
            stor: "local".to_owned(),
        };
        self.icons.insert(record.uuid(), call.request.body.clone());
        Ok(self.store_and_show(record.with_icon(&icon), call))
    }

    pub fn get_file(&self, record: &Record, call: &Call<'_>) -> Result<Answer> {
        let index = file_index(&call.parameters, record.uuid(), record.file_count())?;
        let file = record.file(index).unwrap();
        let answer = Answer::new(200, self.files.get(&record.uuid()).unwrap().clone())
            .with("content-type", "application/octet-stream")
            .with("etag", file.sha1.clone());
        self.conditional(record, &file.sha1, file.mtime.as_deref(), answer, call)
    }

    pub fn get_icon(&self, record: &Record, call: &Call<'_>) -> Result<Answer> {
        let icon = record.icon().ok_or_else(|| ApiError::no_icon(record.uuid()))?;
        let answer = Answer::new(200, self.icons.get(&record.uuid()).unwrap().clone())
            .with("content-type", icon.content_type.clone())
            .with("etag", icon.sha1.clone());
        self.conditional(record, &icon.sha1, Some(&icon.mtime), answer, call)
    }

    fn conditional(
        &self,
        record: &Record,
        sha1: &str,
        mtime: Option<&str>,
        answer: Answer,
        call: &Call<'_>,
    ) -> Result<Answer> {
        let etag = self
            .catalogue
            .get(record.uuid())
            .unwrap()
            .form()
            .entity_tag(call.version, false);
        let modified = mtime.and_then(dates::parse).unwrap_or(UNIX_EPOCH);
        let tagged = Tagged {
            etag: &etag,
            content: Some(sha1),
            modified: Some(modified),
        };
        match conditions(call).check(&tagged, true) {
            Outcome::Go => Ok(answer),
            Outcome::NotModified => Ok(Answer::new(304, "").with("etag", sha1)),
            Outcome::Failed(error) => Err(error),
        }
    }
}
