//! The stylesheet and the pictures.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::client::client;
use super::{Error, State};
use crate::web::assets;

/// `/static/<path>`.
pub(super) async fn get(
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (path, is_versioned) = assets::path_of(&path).ok_or(Error::NOT_FOUND)?;
    let asset = assets::find(path).ok_or(Error::NOT_FOUND)?;
    // Weak, because the same file also goes out compressed.
    let tag = format!("W/\"{}\"", asset.version);
    // An address that names the version never shows anything else.
    let names_version = is_versioned || request.query_string() == format!("v={}", asset.version);
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
        return Ok(answer.finish());
    }
    Ok(answer.content_type(asset.media_type).body(asset.content))
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
