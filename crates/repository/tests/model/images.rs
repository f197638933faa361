//! Endpoints of one image.

use crate::model::server::Call;
use crate::model::{Answer, Model};
use repository::access::{check_operator, check_owner, check_visible};
use repository::catalogue::{Entry, write_one};
use repository::channels::{Channels, Deletion, Scope};
use repository::http::{ApiVersion, Conditions, Endpoint, Outcome, Tagged};
use repository::list::admin_fields;
use repository::manifest::{Import, ImportRequest, Record, clone_of, import, update};
use repository::remote::copy_request;
use repository::{ApiError, Code, Result, Uuid};

impl Model {
    pub fn store(&mut self, record: Record) {
        self.catalogue = self.catalogue.with(Entry::new(&record, self.mode));
        self.records.insert(record.uuid(), record);
    }

    pub fn forget(&mut self, uuid: Uuid) {
        self.catalogue = self.catalogue.without(uuid);
        self.records.remove(&uuid);
    }

    pub fn store_and_show(&mut self, record: Record, call: &Call<'_>) -> Answer {
        let uuid = record.uuid();
        self.store(record);
        self.show(uuid, call.version, false)
    }

    pub fn show(&self, uuid: Uuid, version: ApiVersion, is_admin: bool) -> Answer {
        let form = self.catalogue.get(uuid).unwrap().form();
        let mut body = Vec::new();
        write_one(form, version, is_admin, &mut body);
        Answer::json(200, body).with("etag", form.entity_tag(version, is_admin))
    }

    /// The image, if the caller sees it.
    fn visible(&self, uuid: Uuid, account: Option<Uuid>, scope: &Scope) -> Result<Record> {
        let record = self
            .records
            .get(&uuid)
            .ok_or_else(|| ApiError::image_not_found(uuid))?;
        check_visible(record, account, scope)?;
        Ok(record.clone())
    }

    pub fn image(&mut self, endpoint: Endpoint, uuid: Uuid, call: &Call<'_>) -> Result<Answer> {
        let is_read = matches!(
            endpoint,
            Endpoint::GetImage | Endpoint::GetImageFile | Endpoint::GetImageIcon | Endpoint::GetImageJobs
        );
        let scope = self.channels.scope(&call.parameters, is_read)?;
        let account = match endpoint {
            Endpoint::CloneImage => Some(clone_account(call)?),
            // A copy has its own words for a bad account.
            Endpoint::UpdateImage
                if call.parameters.get("action").as_deref() == Some("import-from-datacenter") =>
            {
                None
            }
            _ => call.parameters.account()?,
        };
        if endpoint == Endpoint::UpdateImage {
            return self.post(uuid, account, &scope, call);
        }
        let record = self.visible(uuid, account, &scope)?;
        match endpoint {
            Endpoint::GetImage => self.get(&record, call),
            Endpoint::GetImageFile => self.get_file(&record, call),
            Endpoint::GetImageIcon => self.get_icon(&record, call),
            Endpoint::GetImageJobs => Ok(Answer::json(200, "[]")),
            Endpoint::CloneImage => self.clone_image(&record, account.unwrap_or_default(), call),
            endpoint => {
                check_owner(&record, account)?;
                self.change(endpoint, &record, account, &scope, call)
            }
        }
    }

    fn change(
        &mut self,
        endpoint: Endpoint,
        record: &Record,
        account: Option<Uuid>,
        scope: &Scope,
        call: &Call<'_>,
    ) -> Result<Answer> {
        match endpoint {
            Endpoint::AddImageFile => self.add_file(record, account, call),
            Endpoint::AddImageFileFromUrl => self.add_file_from_url(record, call),
            Endpoint::AddImageIcon => self.add_icon(record, call),
            Endpoint::DeleteImageIcon => {
                let record = record.without_icon()?;
                Ok(self.store_and_show(record, call))
            }
            Endpoint::AddImageAcl => {
                let action = call.parameters.get_nonempty("action");
                let record = record.with_acl(action.as_deref(), call.body()?.value())?;
                Ok(self.store_and_show(record, call))
            }
            Endpoint::DeleteImage => self.delete(record, scope, call),
            Endpoint::AdminPushDockerImage => Err(ApiError::validation_failed(
                "type",
                "Invalid",
                "image is not a docker image",
            )),
            other => panic!("{other:?} is no change of an image"),
        }
    }

    fn get(&self, record: &Record, call: &Call<'_>) -> Result<Answer> {
        let is_admin = admin_fields(&call.parameters, self.mode, false)?;
        let answer = self.show(record.uuid(), call.version, is_admin);
        let etag = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "etag")
            .unwrap()
            .1
            .clone();
        let tagged = Tagged {
            etag: &etag,
            content: None,
            modified: None,
        };
        match conditions(call).check(&tagged, true) {
            Outcome::Go => Ok(answer),
            Outcome::NotModified => Ok(Answer::new(304, "")),
            Outcome::Failed(error) => Err(error),
        }
    }

    fn post(&mut self, uuid: Uuid, account: Option<Uuid>, scope: &Scope, call: &Call<'_>) -> Result<Answer> {
        let body = call.body()?;
        let action = call.parameters.get_nonempty("action");
        match action.as_deref() {
            Some("import-remote") => return self.import_remote(uuid, account, call),
            Some("import-from-datacenter") => {
                let others = [("TestDc".to_owned(), "http://127.0.0.1:1".to_owned())].into();
                let request = copy_request(&call.parameters, &others, Some("lab-dc"))?;
                return Err(ApiError::new(
                    Code::InternalError,
                    format!("no network to {}", request.url),
                ));
            }
            Some("import") => {
                let skip_owner_check = call.parameters.boolean("skip_owner_check")?.unwrap_or(false);
                let request = ImportRequest {
                    uuid,
                    account,
                    channel: scope.channel(),
                    skip_owner_check,
                    admin: self.admin,
                    existing_state: self.records.get(&uuid).map(Record::state),
                    from: Import::Body,
                };
                let record = import(body.value(), &request, &self.rules(), self)?;
                return Ok(self.store_and_show(record, call));
            }
            _ => {}
        }
        let record = self.visible(uuid, account, scope)?;
        if action.as_deref() == Some("change-stor") {
            return self.change_stor(&record, account, call);
        }
        check_owner(&record, account)?;
        if action.as_deref() == Some("export") {
            return export(call);
        }
        let etag = self
            .catalogue
            .get(uuid)
            .unwrap()
            .form()
            .entity_tag(call.version, false);
        let tagged = Tagged {
            etag: &etag,
            content: None,
            modified: None,
        };
        if let Outcome::Failed(error) = conditions(call).check(&tagged, false) {
            return Err(error);
        }
        let changed = match action.as_deref() {
            Some("activate") => record.activate(call.minted.now)?,
            Some("enable") => record.with_disabled(false),
            Some("disable") => record.with_disabled(true),
            Some("channel-add") if !self.channels.is_empty() => self.channels.add(&record, body.value())?,
            Some("update") => {
                let updated = update(&record, body.value(), account, &self.rules(), self)?;
                if let Some(old) = updated.renamed_from {
                    self.forget(old);
                    if let Some(file) = self.files.remove(&old) {
                        self.files.insert(updated.record.uuid(), file);
                    }
                }
                updated.record
            }
            Some(other) => return Err(ApiError::invalid_action(other)),
            None => return Err(ApiError::missing_action()),
        };
        Ok(self.store_and_show(changed, call))
    }

    fn import_remote(&self, uuid: Uuid, account: Option<Uuid>, call: &Call<'_>) -> Result<Answer> {
        if call.parameters.get_nonempty("source").is_none() {
            return Err(ApiError::validation_failed(
                "source",
                "MissingParameter",
                "missing source parameter",
            ));
        }
        check_operator(account)?;
        if self.records.contains_key(&uuid) {
            return Err(ApiError::already_exists(uuid));
        }
        Err(ApiError::jobs_down())
    }

    fn change_stor(&self, record: &Record, account: Option<Uuid>, call: &Call<'_>) -> Result<Answer> {
        check_operator(account)?;
        match call.parameters.get_nonempty("stor").as_deref() {
            None => Err(ApiError::validation_failed(
                "stor",
                "MissingParameter",
                "missing \"stor\" query parameter",
            )),
            Some("local") => {
                let mut answer = self.show(record.uuid(), ApiVersion::Two, true);
                answer.headers.retain(|(name, _)| *name != "etag");
                Ok(answer)
            }
            Some(other) => {
                let message = format!("unknown storage type \"{other}\"");
                Err(ApiError::validation_failed("stor", "Invalid", message))
            }
        }
    }

    fn delete(&mut self, record: &Record, scope: &Scope, call: &Call<'_>) -> Result<Answer> {
        let force_all = call.parameters.boolean("force_all_channels")?.unwrap_or(false);
        let dependents = self.catalogue.dependents(record.uuid(), scope.channel());
        if !dependents.is_empty() {
            return Err(ApiError::has_dependents(record.uuid(), &dependents));
        }
        match Channels::deletion(record, scope, force_all) {
            Deletion::OfOneChannel(record) => self.store(*record),
            Deletion::OfAll => self.forget(record.uuid()),
        }
        Ok(Answer::new(204, ""))
    }

    fn clone_image(&mut self, record: &Record, account: Uuid, call: &Call<'_>) -> Result<Answer> {
        if !record.is_activated() {
            return Err(ApiError::validation_failed(
                "active",
                "Invalid",
                "image is not active",
            ));
        }
        if !record.acl().any(|shared| shared == account) {
            return Err(ApiError::not_shared(record.uuid(), account));
        }
        let copy = clone_of(record, call.minted.uuid, account, None, true, call.minted.now);
        if let Some(file) = self.files.get(&record.uuid()).cloned() {
            self.files.insert(copy.uuid(), file);
        }
        let mut answer = self.store_and_show(copy, call);
        answer.headers.retain(|(name, _)| *name != "etag");
        Ok(answer)
    }
}

fn clone_account(call: &Call<'_>) -> Result<Uuid> {
    let missing = || {
        let message = "invalid \"account\": not a UUID: \"undefined\"";
        ApiError::invalid_parameter("account", "Invalid", message)
    };
    call.parameters.account()?.ok_or_else(missing)
}

fn export(call: &Call<'_>) -> Result<Answer> {
    match call.parameters.get_nonempty("manta_path") {
        None => {
            let message = "missing 'manta_path' prefix parameter";
            Err(ApiError::validation_failed(
                "manta_path",
                "MissingParameter",
                message,
            ))
        }
        Some(path) if !path.starts_with('/') => {
            let message = "invalid manta_path prefix, not a valid manta path";
            Err(ApiError::invalid_parameter("manta_path", "Invalid", message))
        }
        Some(_) => Err(ApiError::new(
            Code::StorageUnsupported,
            "storage type is unsupported",
        )),
    }
}

pub fn conditions<'a>(call: &'a Call<'_>) -> Conditions<'a> {
    Conditions {
        if_match: call.request.header("if-match"),
        if_none_match: call.request.header("if-none-match"),
        if_modified_since: call.request.header("if-modified-since"),
        if_unmodified_since: call.request.header("if-unmodified-since"),
    }
}
