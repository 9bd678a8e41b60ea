//! One operation of the API: what the router serves, the description shows and the tests go
//! through. There is no route below `/api/v3` that is not one of these.
//!
//! Who may call is checked here, before any handler, so that no handler can forget it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::call::Call;
use crate::http::request::Arrival;
use crate::http::{Error, State};

/// What a handler answers.
pub(crate) type Answered = Result<HttpResponse, Error>;

/// The methods that operations have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    /// Reads; answers `HEAD` as well.
    Get,
    /// Makes something, or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The method in small letters.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// Who may call an operation at all. What they see and may change of it is up to the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Public,
    /// Everybody with a token or a login.
    Caller,
    /// Whoever has this permission on everything, such as `authentik_flows.view_flow_cache`.
    Permitted(&'static str),
}

/// What an answer or a body holds, by the names of the description.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Nothing.
    Nothing,
    /// An object of this schema.
    One(String),
    /// A list of such objects, without an envelope.
    List(String),
    /// A page of such objects.
    Page(String),
    /// What this schema says.
    Json(Value),
    /// Something of this media type that is no JSON.
    Media(&'static str),
    /// An object, in whichever of these media types is asked for.
    Several(&'static [&'static str]),
    /// A form with a file, of this schema.
    Form(Value),
}

/// A parameter of the address.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is in the path; else in the query string.
    pub(crate) in_path: bool,
    /// What fits.
    pub(crate) schema: Value,
}

type Handler = Arc<dyn Fn(Call) -> LocalBoxFuture<'static, Answered> + Send + Sync>;

/// One operation.
#[derive(Clone)]
pub(crate) struct Operation {
    /// Its method.
    pub(crate) method: Method,
    /// Its path below `/api/v3`, with the names of parameters in braces.
    pub(crate) path: String,
    /// Its name, as clients have it.
    pub(crate) id: String,
    /// Who may call it.
    pub(crate) access: Access,
    /// What the address says.
    pub(crate) parameters: Vec<Parameter>,
    /// What the body holds.
    pub(crate) body: Content,
    /// The status of success.
    pub(crate) status: u16,
    /// What the answer holds then.
    pub(crate) answer: Content,
    handler: Handler,
}

impl Operation {
    /// An operation for whoever is logged in, without a body, that answers 200 and nothing.
    pub(crate) fn new<F, R>(method: Method, path: &str, id: &str, handler: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Answered> + 'static,
    {
        let mut parameters = Vec::new();
        let names = path
            .split('{')
            .skip(1)
            .filter_map(|it| it.split('}').next());
        for name in names {
            parameters.push(Parameter {
                name: name.to_owned(),
                in_path: true,
                schema: json!({ "type": "string" }),
            });
        }
        Self {
            method,
            path: path.to_owned(),
            id: id.to_owned(),
            access: Access::Caller,
            parameters,
            body: Content::Nothing,
            status: 200,
            answer: Content::Nothing,
            handler: Arc::new(move |call| Box::pin(handler(call))),
        }
    }

    /// The same for others.
    pub(crate) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The same with a body.
    pub(crate) fn takes(mut self, body: Content) -> Self {
        self.body = body;
        self
    }

    /// The same with an answer.
    pub(crate) fn answers(mut self, status: u16, answer: Content) -> Self {
        self.status = status;
        self.answer = answer;
        self
    }

    /// The same with a parameter of the query string.
    pub(crate) fn asks(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(Parameter {
            name: name.to_owned(),
            in_path: false,
            schema,
        });
        self
    }

    /// The same with the parameters that every list has.
    pub(crate) fn paged(self) -> Self {
        let text = json!({ "type": "string" });
        let number = json!({ "type": "integer" });
        self.asks("ordering", text.clone())
            .asks("page", number.clone())
            .asks("page_size", number)
            .asks("search", text)
    }

    /// The same with another schema of a parameter of the path.
    pub(crate) fn key(mut self, name: &str, schema: &Value) -> Self {
        for parameter in &mut self.parameters {
            if parameter.in_path && parameter.name == name {
                parameter.schema = schema.clone();
            }
        }
        self
    }

    /// Serves a request.
    pub(super) fn serve(
        &self,
        request: HttpRequest,
        payload: web::Payload,
        state: web::Data<State>,
        arrival: Arrival,
    ) -> impl Future<Output = Answered> + use<> {
        let (method, access, handler) = (self.method, self.access, Arc::clone(&self.handler));
        async move {
            let call = Call::admit(method, access, request, payload, state, arrival).await?;
            handler(call).await
        }
    }
}
