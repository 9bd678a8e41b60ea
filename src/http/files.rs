//! The stylesheet and the pictures.

use std::borrow::Cow;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::client::client;
use super::{Error, State};
use crate::web::assets;

/// `/static/<path>`.
pub(super) async fn get(
    request: HttpRequest,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, Error> {
    let own = path.strip_prefix("dist/");
    find(&request, &state, own, &path).await
}

/// `/if/flow/<slug>/assets/<path>`, which authentik's own interface asks for.
pub(super) async fn assets_of_flow(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> Result<HttpResponse, Error> {
    if state.interface.is_none() {
        return Err(Error::NOT_FOUND);
    }
    let path = &path.1;
    let (own, ours) = (format!("assets/{path}"), format!("dist/assets/{path}"));
    find(&request, &state, Some(&own), &ours).await
}

/// A file of the interface in the folder, else one of ours.
async fn find(
    request: &HttpRequest,
    state: &State,
    own: Option<&str>,
    ours: &str,
) -> Result<HttpResponse, Error> {
    if let (Some(interface), Some(own)) = (&state.interface, own)
        && let Some(file) = interface.file(own).await?
    {
        let known = (file.version.as_str(), false);
        return Ok(send(request, file.content, file.media_type, known));
    }
    let (path, is_versioned) = assets::path_of(ours).ok_or(Error::NOT_FOUND)?;
    let asset = assets::find(path).ok_or(Error::NOT_FOUND)?;
    let content = match asset.content {
        Cow::Borrowed(content) => web::Bytes::from_static(content),
        Cow::Owned(content) => content.into(),
    };
    let known = (asset.version.as_str(), is_versioned);
    Ok(send(request, content, asset.media_type, known))
}

/// Sends a file whose content has this name, which may be a part of its address.
fn send(
    request: &HttpRequest,
    content: impl Into<web::Bytes>,
    media_type: &'static str,
    (version, is_versioned): (&str, bool),
) -> HttpResponse {
    // Weak, because the same file also goes out compressed.
    let tag = format!("W/\"{version}\"");
    // An address that names the version never shows anything else.
    let names_version = is_versioned || request.query_string() == format!("v={version}");
    let keep = if names_version {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    let known = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|known| weak(known.trim()) == weak(&tag));
    let mut answer = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, keep));
    if known {
        return answer.finish();
    }
    answer.content_type(media_type).body(content.into())
}

/// A tag without the sign that it is a weak one.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// `/static/brand.css`: the rules that an operator gave the brand of this host.
pub(super) async fn brand_style(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, Error> {
    let host = client(&request, &state.trusted_proxies).host;
    let brand = state.brand(&host).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .content_type("text/css; charset=utf-8")
        .body(brand.branding_custom_css))
}
