//! Where spans of requests are sent.

use url::Url;

use super::header::Header;
use super::reader::Reader;
use super::value::Parsed;

/// `otel.*`.
#[derive(Clone, Debug)]
pub struct Otel {
    /// The whole address to which spans are posted; none are made without one.
    pub endpoint: Option<Url>,
    /// Further headers.
    pub headers: Vec<Header>,
    /// What the server is called in traces.
    pub service_name: String,
    /// How many of the traces that begin here have spans, from 0 to 1.
    pub sampling: f64,
}

/// Where a collector takes spans.
const PATH: &str = "v1/traces";

/// What is said where spans cannot be sent.
const NOT_BUILT: &str = "otel.endpoint needs a server that was built with the feature `otel`: \
                         cargo build --release --locked --features otel";

impl Otel {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self::read_for(from, cfg!(feature = "otel"))
    }

    /// The same for a server that can, or cannot, send spans.
    fn read_for(from: &mut Reader, is_built: bool) -> Self {
        let endpoint = from.optional("otel.endpoint", endpoint);
        if endpoint.is_some() && !is_built {
            let origin = from.origin("otel.endpoint");
            from.complain(origin, NOT_BUILT.to_owned());
        }
        Self {
            endpoint,
            headers: Header::read_list(from, "otel.headers"),
            service_name: from.parsed("otel.service_name", "gatelog".to_owned(), name),
            sampling: from.parsed("otel.sampling", 1.0, share),
        }
    }
}

/// The address of a collector, to which the path for spans is added where it is not there.
fn endpoint(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    // Not what was given: it may have a password.
    let mut url = url.ok_or("this is no address such as \"http://127.0.0.1:4318\"")?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err("who may send spans is said in otel.headers, not in the address".to_owned());
    }
    let path = url.path().trim_end_matches('/');
    if !path.ends_with(PATH) {
        let path = format!("{path}/{PATH}");
        url.set_path(&path);
    }
    Ok(url)
}

fn name(text: &str) -> Parsed<String> {
    let is_name = !text.trim().is_empty() && text.len() <= 255;
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| "a name has 1 to 255 bytes".to_owned())
}

fn share(text: &str) -> Parsed<f64> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("{text:?} is no share from 0 to 1, such as 0.1"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::value::Given;
    use super::super::{Error, Origin, Shown};
    use super::*;

    fn read(
        is_built: bool,
        variables: &[(&str, &str)],
        values: &[(&str, &str)],
    ) -> Result<(Otel, Vec<Shown>), String> {
        let variables = variables.iter();
        let variables: Vec<_> = variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut reader = Reader::new(&variables);
        for (key, value) in values {
            let origin = Origin::Flag("test".to_owned());
            reader.give((*key).to_owned(), Given::Text((*value).to_owned()), origin);
        }
        let otel = Otel::read_for(&mut reader, is_built);
        let shown = reader.finish().map_err(|error: Error| error.to_string())?;
        Ok((otel, shown))
    }

    fn sent_to(text: &str) -> String {
        let (otel, _) = read(true, &[], &[("otel.endpoint", text)]).expect("an address");
        otel.endpoint.expect("an address").to_string()
    }

    #[test]
    fn nothing_is_sent_unless_somebody_says_where_to() {
        for is_built in [true, false] {
            let (otel, _) = read(is_built, &[], &[]).expect("the defaults");
            assert!(otel.endpoint.is_none() && otel.headers.is_empty());
            assert_eq!(otel.service_name, "gatelog");
        }
    }

    #[test]
    fn a_server_that_cannot_send_spans_says_which_feature_it_lacks() {
        let at = [("otel.endpoint", "http://127.0.0.1:4318")];
        let problem = read(false, &[], &at).expect_err("it is refused");
        assert!(problem.contains("--features otel"), "{problem}");
        read(true, &[], &at).expect("it is taken");
    }

    #[test]
    fn the_path_is_added_where_it_is_not_there() {
        for (given, used) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://a.example/otlp", "https://a.example/otlp/v1/traces"),
            (
                "https://a.example/otlp/v1/traces",
                "https://a.example/otlp/v1/traces",
            ),
        ] {
            assert_eq!(sent_to(given), used);
        }
    }

    #[test]
    fn an_address_is_one_of_the_web_and_has_no_secret() {
        for text in [
            "127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "http://ann:hunter2@a.example",
            "http://a.example/?key=hunter2",
        ] {
            let problem = read(true, &[], &[("otel.endpoint", text)]).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn a_header_may_say_where_its_value_stands_and_is_not_shown() {
        let key = [("KEY", "Bearer hunter2")];
        let headers = [(
            "otel.headers",
            "Authorization: env://KEY, X-Tenant: hunter3",
        )];
        let (otel, shown) = read(true, &key, &headers).expect("two headers");
        let values = otel.headers.iter();
        let values: Vec<_> = values.map(|it| it.value.expose_secret()).collect();
        assert_eq!(values, ["Bearer hunter2", "hunter3"]);
        assert!(!format!("{shown:?}{otel:?}").contains("hunter"));
        let problem = read(true, &[], &headers).expect_err("there is no such variable");
        assert!(problem.contains("KEY"), "{problem}");
    }

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        for text in ["0", "0.25", "1"] {
            read(true, &[], &[("otel.sampling", text)]).expect(text);
        }
        for text in ["-0.1", "1.5", "NaN", "all", ""] {
            assert!(
                read(true, &[], &[("otel.sampling", text)]).is_err(),
                "{text}"
            );
        }
    }
}
