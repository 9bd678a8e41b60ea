//! The operations on devices, for each class.

use super::super::operation::{Content, Method, Operation};
use super::change::{admin_destroy, admin_update, create, destroy, update};
use super::{
    admin_all, admin_endpoints, admin_list, admin_retrieve, all, endpoint, endpoints, list,
    retrieve, used_by,
};
use crate::directory::DeviceClass;
use serde_json::json;

/// What the description calls a device of this class.
const fn schema(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Static => "StaticDevice",
        DeviceClass::Totp => "TOTPDevice",
        DeviceClass::Webauthn => "WebAuthnDevice",
        DeviceClass::Duo => "DuoDevice",
        DeviceClass::Sms => "SMSDevice",
        DeviceClass::Email => "EmailDevice",
    }
}

/// The operations on devices. Those of the class `endpoint` exist in no installation, but clients
/// ask.
pub(in crate::http::api) fn operations() -> Vec<Operation> {
    let devices = || Content::List("Device".to_owned());
    let number = json!({ "type": "integer" });
    let mut made = vec![
        Operation::new(
            Method::Get,
            "/authenticators/all/",
            "authenticators_all_list",
            all,
        )
        .answers(200, devices()),
        Operation::new(
            Method::Get,
            "/authenticators/admin/all/",
            "authenticators_admin_all_list",
            admin_all,
        )
        .asks("user", number)
        .answers(200, devices()),
    ];
    for &class in DeviceClass::ALL {
        made.extend(of_class(class, false));
        made.extend(of_class(class, true));
    }
    made.extend(of_endpoints());
    made
}

/// The operations on one's own devices of a class, or on everybody's.
fn of_class(class: DeviceClass, is_admin: bool) -> Vec<Operation> {
    let (below, prefix) = if is_admin {
        ("admin/", "admin_")
    } else {
        ("", "")
    };
    let word = class.as_str();
    let path = |rest: &str| format!("/authenticators/{below}{word}/{rest}");
    let id = |verb: &str| format!("authenticators_{prefix}{word}_{verb}");
    let one = || Content::One(schema(class).to_owned());
    let mut made = vec![paged(
        Operation::new(
            Method::Get,
            &path(""),
            &id("list"),
            move |call| async move {
                if is_admin {
                    admin_list(call, class).await
                } else {
                    list(call, class).await
                }
            },
        )
        .answers(200, Content::Page(schema(class).to_owned())),
    )];
    if is_admin {
        made.push(
            Operation::new(Method::Post, &path(""), &id("create"), move |call| {
                create(call, class)
            })
            .takes(Content::One(format!("{}Request", schema(class))))
            .answers(201, one()),
        );
    } else {
        made.push(
            Operation::new(
                Method::Get,
                &path("{id}/used_by/"),
                &id("used_by_list"),
                move |call| used_by(call, class),
            )
            .answers(200, Content::List("UsedBy".to_owned())),
        );
    }
    made.push(
        Operation::new(
            Method::Get,
            &path("{id}/"),
            &id("retrieve"),
            move |call| async move {
                if is_admin {
                    admin_retrieve(call, class).await
                } else {
                    retrieve(call, class).await
                }
            },
        )
        .answers(200, one()),
    );
    for (method, verb, patched) in [
        (Method::Put, "update", ""),
        (Method::Patch, "partial_update", "Patched"),
    ] {
        made.push(
            Operation::new(method, &path("{id}/"), &id(verb), move |call| async move {
                if is_admin {
                    admin_update(call, class, method).await
                } else {
                    update(call, class, method).await
                }
            })
            .takes(Content::One(format!("{patched}{}Request", schema(class))))
            .answers(200, one()),
        );
    }
    made.push(
        Operation::new(
            Method::Delete,
            &path("{id}/"),
            &id("destroy"),
            move |call| async move {
                if is_admin {
                    admin_destroy(call, class).await
                } else {
                    destroy(call, class).await
                }
            },
        )
        .answers(204, Content::Nothing),
    );
    let number = json!({ "type": "integer" });
    made.into_iter().map(|it| it.key("id", &number)).collect()
}

fn of_endpoints() -> Vec<Operation> {
    let one = || Content::One("GoogleEndpointDevice".to_owned());
    let uuid = json!({ "type": "string", "format": "uuid" });
    let reads = |path: &str, id: &str| Operation::new(Method::Get, path, id, endpoint);
    vec![
        paged(
            Operation::new(
                Method::Get,
                "/authenticators/endpoint/",
                "authenticators_endpoint_list",
                endpoints,
            )
            .answers(200, Content::Page("GoogleEndpointDevice".to_owned())),
        ),
        reads(
            "/authenticators/endpoint/{uuid}/",
            "authenticators_endpoint_retrieve",
        )
        .answers(200, one())
        .key("uuid", &uuid),
        reads(
            "/authenticators/endpoint/{uuid}/used_by/",
            "authenticators_endpoint_used_by_list",
        )
        .answers(200, Content::List("UsedBy".to_owned()))
        .key("uuid", &uuid),
        paged(
            Operation::new(
                Method::Get,
                "/authenticators/admin/endpoint/",
                "authenticators_admin_endpoint_list",
                admin_endpoints,
            )
            .answers(200, Content::Page("GoogleEndpointDevice".to_owned())),
        ),
        reads(
            "/authenticators/admin/endpoint/{uuid}/",
            "authenticators_admin_endpoint_retrieve",
        )
        .answers(200, one())
        .key("uuid", &uuid),
    ]
}

/// The same for a list, which has pages, is sorted, searched and filtered by name.
fn paged(operation: Operation) -> Operation {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    operation
        .asks("name", text.clone())
        .asks("ordering", text.clone())
        .asks("page", number.clone())
        .asks("page_size", number)
        .asks("search", text)
}
