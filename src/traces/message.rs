//! Spans as the messages of OTLP. Nothing is left out and nothing is added but whose they are.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, SpanFlags, Status};
use prost::Message as _;
use uuid::Uuid;

use super::span::{Finished, Kind, Value};

/// The flag by which a trace says that it is recorded.
const SAMPLED: u32 = 1;

/// What OTLP calls a span that failed.
const ERROR: i32 = 2;

/// Whose spans they are: this program under the name that the operator gave it, and this run of it.
pub(super) fn resource(service: &str, run: Uuid) -> Resource {
    let attributes = vec![
        attribute("service.name", Any::StringValue(service.to_owned())),
        attribute("service.version", Any::StringValue(version())),
        attribute("service.instance.id", Any::StringValue(run.to_string())),
    ];
    Resource {
        attributes,
        ..Resource::default()
    }
}

/// The body of a request that brings these spans.
pub(super) fn body(resource: &Resource, spans: Vec<Finished>) -> Vec<u8> {
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: version(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: spans.into_iter().map(span).collect(),
        schema_url: String::new(),
    };
    let spans = ResourceSpans {
        resource: Some(resource.clone()),
        scope_spans: vec![spans],
        schema_url: String::new(),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![spans],
    }
    .encode_to_vec()
}

/// How many spans the collector says that it did not take, in an answer that is otherwise a good one.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    let rejected = answer.partial_success.map_or(0, |it| it.rejected_spans);
    u64::try_from(rejected).unwrap_or(0)
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn span(finished: Finished) -> Span {
    let kind = match finished.kind {
        Kind::Server => SpanKind::Server,
        Kind::Internal => SpanKind::Internal,
    };
    let mut flags = SAMPLED | SpanFlags::ContextHasIsRemoteMask as u32;
    if finished.is_parent_remote {
        flags |= SpanFlags::ContextIsRemoteMask as u32;
    }
    let status = finished.has_failed.then(|| Status {
        code: ERROR,
        ..Status::default()
    });
    let attributes = finished.attributes.into_iter();
    let parent = finished.parent.map(|it| it.to_be_bytes().to_vec());
    Span {
        trace_id: finished.trace.to_be_bytes().to_vec(),
        span_id: finished.span.to_be_bytes().to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        flags,
        name: finished.name.into_owned(),
        kind: kind.into(),
        start_time_unix_nano: finished.begin,
        end_time_unix_nano: finished.end,
        attributes: attributes
            .map(|(key, value)| attribute(key, any(value)))
            .collect(),
        status,
        ..Span::default()
    }
}

fn any(value: Value) -> Any {
    match value {
        Value::Text(text) => Any::StringValue(text.into_owned()),
        Value::Number(number) => Any::IntValue(number),
        Value::Truth(truth) => Any::BoolValue(truth),
        Value::Id(id) => Any::StringValue(id.to_string()),
    }
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

    use super::*;

    #[test]
    fn a_span_that_failed_says_so_and_whose_part_it_is() {
        let failed = Finished {
            trace: 0x0199,
            span: 7,
            parent: Some(8),
            is_parent_remote: true,
            kind: Kind::Server,
            name: "GET".into(),
            begin: 1,
            end: 2,
            attributes: vec![("error.type", Value::from("503"))],
            has_failed: true,
        };
        let resource = resource("login", Uuid::nil());
        let sent = body(&resource, vec![failed]);
        let sent = ExportTraceServiceRequest::decode(sent.as_slice()).expect("a message");
        let sent = &sent.resource_spans[0];
        assert_eq!(sent.resource.as_ref(), Some(&resource));
        let span = &sent.scope_spans[0].spans[0];
        let status = span.status.as_ref().expect("a status");
        assert_eq!(status.code(), StatusCode::Error);
        assert_eq!(span.kind(), SpanKind::Server);
        assert_eq!(span.trace_id, 0x0199_u128.to_be_bytes());
        assert_eq!(span.parent_span_id, 8_u64.to_be_bytes());
        assert_eq!(span.flags, 0x301);
    }

    #[test]
    fn an_answer_may_say_that_some_were_not_wanted() {
        use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
        let answer = ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: 3,
                error_message: String::new(),
            }),
        };
        assert_eq!(rejected(&answer.encode_to_vec()), 3);
        for nothing in [&b""[..], b"not a message"] {
            assert_eq!(rejected(nothing), 0);
        }
    }
}
