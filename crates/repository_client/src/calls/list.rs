//! Lists, page by page (imgapi.md §11).

use crate::call::Call;
use crate::{Client, ClientError, Image};
use repository::Uuid;
use repository::json::Value;

/// Images of a page.
const PAGE: usize = 1000;
/// Bytes of a page, at most: the original answers everything it has where its database is local.
const MAXIMUM_PAGE: usize = 512 << 20;

/// What is asked for: parameters as the repository takes them.
#[derive(Clone, Debug, Default)]
pub struct ListImages {
    /// `name`, `version`, `os`, `type`, `state`, `owner`, `public`, `tag.KEY`, `billing_tag`, `sort`, …
    pub filters: Vec<(String, String)>,
    /// With the fields for administrators.
    pub admin_fields: bool,
    /// Images in all, at most; `None` for all there are.
    pub limit: Option<usize>,
    /// Begin with this image, or at this date.
    pub marker: Option<String>,
}

impl ListImages {
    /// All that the repository shows by default: active images.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only images with this.
    #[must_use]
    pub fn filter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.filters.push((name.into(), value.into()));
        self
    }
}

/// The pages of a list, one after the other; one is held at a time.
pub struct Pages {
    client: Client,
    request: ListImages,
    /// The last image of the page before, which the next one begins with again.
    last: Option<Uuid>,
    marker: Option<String>,
    left: Option<usize>,
    is_over: bool,
}

impl Client {
    /// The pages of a list.
    pub fn pages(&self, request: ListImages) -> Pages {
        Pages {
            client: self.clone(),
            last: None,
            marker: request.marker.clone(),
            left: request.limit,
            request,
            is_over: false,
        }
    }

    /// The images of a list, all of them: for lists that are known to be short, or have a limit.
    ///
    /// # Errors
    /// The repository says no, or does not answer.
    pub async fn list(&self, request: ListImages) -> Result<Vec<Image>, ClientError> {
        let mut pages = self.pages(request);
        let mut images = Vec::new();
        while let Some(page) = pages.next().await? {
            images.extend(page);
        }
        Ok(images)
    }
}

impl Pages {
    /// The next page; `None` behind the last one.
    ///
    /// # Errors
    /// The repository says no, or does not answer.
    pub async fn next(&mut self) -> Result<Option<Vec<Image>>, ClientError> {
        if self.is_over || self.left == Some(0) {
            return Ok(None);
        }
        // The marker comes again at the head of its page.
        let again = usize::from(self.last.is_some());
        let asked = self.left.map_or(PAGE, |left| (left + again).min(PAGE));
        let page = self.ask(asked).await?;
        let count = page.len();
        let mut images = page;
        if let Some(at) = self
            .last
            .and_then(|last| images.iter().position(|image| image.uuid() == last))
        {
            images.drain(..=at);
        }
        if let Some(left) = &mut self.left {
            images.truncate(*left);
            *left -= images.len();
        }
        self.last = images.last().map(Image::uuid);
        self.marker = self.last.map(|last| last.to_string());
        // More than was asked for is everything: the original knows no limit of its own.
        self.is_over = images.is_empty() || count != asked;
        Ok((!images.is_empty()).then_some(images))
    }

    async fn ask(&self, limit: usize) -> Result<Vec<Image>, ClientError> {
        let mut call = Call::get("/images").with_flag("inclAdminFields", self.request.admin_fields);
        for (name, value) in &self.request.filters {
            call = call.with(name, value.clone());
        }
        call = call
            .with("limit", limit.to_string())
            .with_some("marker", self.marker.clone());
        let response = self.client.send(call).await?;
        match self.client.read_json(response, MAXIMUM_PAGE).await? {
            Value::Array(images) => images.into_iter().map(Image::new).collect(),
            _ => Err(ClientError::Answer("a list that is none".to_owned())),
        }
    }
}
