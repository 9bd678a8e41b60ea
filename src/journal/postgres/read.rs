//! Reading: one question each, and the keys that open what it finds come with the answer.
//!
//! Records and keys are read in one statement, so as of one moment: what another node destroyed
//! before that opens no more, and what it wrote before that is there.

use deadpool_postgres::Pool;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::counter::{self, Counter};
use super::super::frame::{FORMAT, Record};
use super::super::keys::Keyring;
use super::super::keys::remote::Chain;
use super::super::{
    Envelope, Error, Hash, Key, KeyId, Kind, Object, Position, Result, StreamId, Version, seal,
};
use super::Shared;
use super::connect::Failure;
use super::save::number;
use super::wanted::{kind, moment, position, unreadable};
use jiff::Timestamp;

/// Lists are read in portions of so many.
const PORTION: usize = 1_000;

/// Records of one stream are read in portions of so many.
const RECORDS: i64 = 1_000;

/// A record that was found, with its place among the others.
macro_rules! with_keys {
    ($found:literal) => {
        concat!(
            "WITH RECURSIVE found AS MATERIALIZED (",
            $found,
            "), chain AS (
                SELECT id, wrapper, slot FROM data_key
                WHERE id IN (SELECT DISTINCT key FROM found WHERE key IS NOT NULL)
                UNION
                SELECT k.id, k.wrapper, k.slot FROM data_key AS k JOIN chain ON k.id = chain.wrapper
                WHERE chain.wrapper <> '00000000-0000-0000-0000-000000000000'
            )
            SELECT true, place, record FROM found
            UNION ALL
            SELECT false, 0, slot FROM chain"
        )
    };
}

const STREAM: &str = with_keys!(
    "SELECT version AS place, key, record FROM record
     WHERE kind = $1 AND id = $2 AND version > $3 ORDER BY version LIMIT $4"
);

const GET: &str = with_keys!(
    "SELECT r.version AS place, r.key, r.record
     FROM object AS o JOIN record AS r ON r.position = o.position
     WHERE o.kind = $1 AND o.id = $2"
);

const GET_AT: &str = with_keys!(
    "SELECT version AS place, key, record FROM record
     WHERE kind = $1 AND id = $2 AND version = $3"
);

const FIND: &str = with_keys!(
    "SELECT r.version AS place, r.key, r.record
     FROM unique_key AS u
     JOIN object AS o ON o.kind = u.kind AND o.id = u.id
     JOIN record AS r ON r.position = o.position
     WHERE u.kind = $1 AND u.lookup = $2"
);

const SCAN: &str = with_keys!(
    "SELECT row_number() OVER (ORDER BY i.id) AS place, r.key, r.record
     FROM index_key AS i
     JOIN object AS o ON o.kind = i.kind AND o.id = i.id
     JOIN record AS r ON r.position = o.position
     WHERE i.kind = $1 AND i.lookup = $2 AND i.id >= $3 ORDER BY i.id LIMIT $4"
);

const LIST: &str = with_keys!(
    "SELECT row_number() OVER (ORDER BY o.id) AS place, r.key, r.record
     FROM object AS o JOIN record AS r ON r.position = o.position
     WHERE o.kind = $1 AND o.id >= $2 ORDER BY o.id LIMIT $3"
);

const LOG: &str = with_keys!(
    "SELECT position AS place, key, record FROM record
     WHERE position > $1 ORDER BY position LIMIT $2"
);

const HEAD: &str = "
SELECT version, hash FROM record WHERE kind = $1 AND id = $2 ORDER BY version DESC LIMIT 1";

const STREAMS: &str = "
SELECT kind, id FROM record WHERE kind = $1 AND version = 1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// Nothing is greater than the greatest id, which is one as well.
const ALL_STREAMS: &str = "
SELECT kind, id FROM record WHERE kind = $1 AND version = 1 ORDER BY id DESC LIMIT $2";

const COUNTER: &str = "
SELECT value, expires_second, expires_nanosecond FROM counter WHERE lookup = $1";

/// A key is whole when the root key is at the end of its chain.
const WRAPPER: &str = "
WITH RECURSIVE chain AS (
    SELECT id, wrapper FROM data_key WHERE id = $1
    UNION
    SELECT k.id, k.wrapper FROM data_key AS k JOIN chain ON k.id = chain.wrapper
    WHERE chain.wrapper <> '00000000-0000-0000-0000-000000000000'
)
SELECT (SELECT wrapper FROM chain WHERE id = $1)
WHERE EXISTS (SELECT FROM chain WHERE wrapper = '00000000-0000-0000-0000-000000000000')";

const UNDER: &str = "
WITH RECURSIVE under AS (
    SELECT id FROM data_key WHERE wrapper = $1
      AND wrapper <> '00000000-0000-0000-0000-000000000000'
    UNION
    SELECT k.id FROM data_key AS k JOIN under ON k.wrapper = under.id
    WHERE k.wrapper <> '00000000-0000-0000-0000-000000000000'
)
SELECT id FROM under";

pub(super) type Values = Vec<Box<dyn ToSql + Sync + Send>>;

/// Asks one question.
pub(super) async fn ask(
    pool: &Pool,
    sql: &str,
    values: &Values,
) -> std::result::Result<Vec<Row>, Failure> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(sql).await?;
    let values: Vec<&(dyn ToSql + Sync)> = values
        .iter()
        .map(|value| &**value as &(dyn ToSql + Sync))
        .collect();
    Ok(client.query(&statement, &values).await?)
}

/// Records that were found, and the keys that came with them.
pub(super) struct Found {
    records: Vec<(u64, Record)>,
    keys: Vec<Row>,
}

impl Found {
    fn of(rows: Vec<Row>, whose: impl Fn(u64) -> String) -> Result<Self> {
        let (records, keys): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.get(0));
        let records = records.iter().map(|row| {
            let place = position(row.get(1));
            if let Some(format) = Record::newer_format(row.get(2)) {
                return Err(Error::Newer {
                    what: whose(place),
                    sort: "format",
                    found: format.into(),
                    known: FORMAT.into(),
                });
            }
            let record = Record::decode(row.get(2));
            let record = record.map_err(|problem| Error::Damaged {
                path: "PostgreSQL".into(),
                problem: format!("{}: {problem}", whose(place)),
            })?;
            Ok((place, record))
        });
        let mut records = records.collect::<Result<Vec<_>>>()?;
        records.sort_by_key(|(place, _)| *place);
        Ok(Self { records, keys })
    }

    fn chain<'a>(&self, ring: &'a Keyring) -> Result<Chain<'a>> {
        Chain::of(ring, self.keys.iter().map(|row| row.get(2)))
    }
}

impl Shared {
    async fn found(
        &self,
        sql: &'static str,
        values: Values,
        whose: impl Fn(u64) -> String,
    ) -> Result<Found> {
        Found::of(self.asked(sql, values).await?, whose)
    }

    /// The records of a stream after `after`, each following the one before.
    pub(super) async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        let mut envelopes = Vec::new();
        let mut previous = (after == Version::NONE).then(Hash::default);
        let mut version = after;
        loop {
            let values: Values = vec![
                Box::new(stream.kind.to_string()),
                Box::new(stream.id),
                Box::new(number(version.0)),
                Box::new(RECORDS),
            ];
            let whose = |version| format!("version {version} of {stream}");
            let found = self.found(STREAM, values, whose).await?;
            let chain = found.chain(&self.ring)?;
            let count = found.records.len();
            for (_, record) in &found.records {
                version = version.next();
                let corrupt = |problem: &str| Error::Corrupt {
                    stream,
                    version,
                    problem: problem.to_owned(),
                };
                let frame = &record.frame;
                if frame.stream != stream || frame.version != version {
                    return Err(corrupt("another record lies in its place"));
                }
                if previous.is_some_and(|previous| frame.previous != previous) {
                    return Err(corrupt("it does not follow the record before it"));
                }
                let envelope = seal::envelope(record, &chain)?;
                previous = Some(envelope.hash);
                envelopes.push(envelope);
            }
            if i64::try_from(count).unwrap_or(RECORDS) < RECORDS {
                return Ok(envelopes);
            }
        }
    }

    /// The end of a stream.
    pub(super) async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        let values: Values = vec![Box::new(stream.kind.to_string()), Box::new(stream.id)];
        let rows = self.asked(HEAD, values).await?;
        let Some(row) = rows.first() else {
            return Ok((Version::NONE, Hash::default()));
        };
        let hash = <[u8; 32]>::try_from(row.get::<_, &[u8]>(1));
        let hash = hash.map_err(|_| unreadable("a hash"))?;
        Ok((Version(position(row.get(0))), Hash(hash)))
    }

    /// The current revision of an object.
    pub(super) async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        let values: Values = vec![Box::new(stream.kind.to_string()), Box::new(stream.id)];
        self.one(GET, values, Some(stream)).await
    }

    /// One revision of an object.
    pub(super) async fn get_at(
        &self,
        stream: StreamId,
        version: Version,
    ) -> Result<Option<Object>> {
        let values: Values = vec![
            Box::new(stream.kind.to_string()),
            Box::new(stream.id),
            Box::new(number(version.0)),
        ];
        self.one(GET_AT, values, Some(stream)).await
    }

    /// The object with this unique key.
    pub(super) async fn find(&self, kind: Kind, key: &Key) -> Result<Option<Object>> {
        let lookup = self.ring.lookup(kind, key);
        let values: Values = vec![Box::new(kind.to_string()), Box::new(lookup.0.to_vec())];
        self.one(FIND, values, None).await
    }

    async fn one(
        &self,
        sql: &'static str,
        values: Values,
        stream: Option<StreamId>,
    ) -> Result<Option<Object>> {
        let whose = |version| match stream {
            Some(stream) => format!("version {version} of {stream}"),
            None => format!("version {version} of an object"),
        };
        let found = self.found(sql, values, whose).await?;
        let Some((version, record)) = found.records.first() else {
            return Ok(None);
        };
        if stream.is_some_and(|stream| record.frame.stream != stream) {
            return Err(unreadable(&whose(*version)));
        }
        seal::object(record, &found.chain(&self.ring)?)
    }

    /// The objects with this index key, by id.
    pub(super) async fn scan(
        &self,
        kind: Kind,
        key: &Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let lookup = self.ring.lookup(kind, key).0.to_vec();
        let ask = |first: Uuid, limit: i64| -> Values {
            vec![
                Box::new(kind.to_string()),
                Box::new(lookup.clone()),
                Box::new(first),
                Box::new(limit),
            ]
        };
        self.many(SCAN, ask, after, limit).await
    }

    /// The objects of a kind, by id.
    pub(super) async fn list(
        &self,
        kind: Kind,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let ask = |first: Uuid, limit: i64| -> Values {
            vec![Box::new(kind.to_string()), Box::new(first), Box::new(limit)]
        };
        self.many(LIST, ask, after, limit).await
    }

    /// Objects in portions, without those that cannot be had, until there are so many.
    async fn many(
        &self,
        sql: &'static str,
        ask: impl Fn(Uuid, i64) -> Values,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        let mut next = match after {
            Some(after) => following(after),
            None => Some(Uuid::nil()),
        };
        while let Some(first) = next
            && objects.len() < limit
        {
            let portion = (limit - objects.len()).min(PORTION);
            let asked = i64::try_from(portion).unwrap_or(i64::MAX);
            let whose = |_| "an object of a list".to_owned();
            let found = self.found(sql, ask(first, asked), whose).await?;
            let chain = found.chain(&self.ring)?;
            for (_, record) in &found.records {
                next = following(record.frame.stream.id);
                objects.extend(seal::object(record, &chain)?);
            }
            if found.records.len() < portion {
                break;
            }
        }
        Ok(objects)
    }

    /// The streams of a kind below `before`, the greatest id first.
    pub(super) async fn streams(
        &self,
        of: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let of = Box::new(of.to_string());
        let rows = if let Some(before) = before {
            let values: Values = vec![of, Box::new(before), Box::new(limit)];
            self.asked(STREAMS, values).await?
        } else {
            self.asked(ALL_STREAMS, vec![of, Box::new(limit)]).await?
        };
        rows.iter()
            .map(|row| Ok(StreamId::new(kind(row.get(0))?, row.get(1))))
            .collect()
    }

    /// What a counter stands at.
    pub(super) async fn counter(&self, name: &[u8], now: Timestamp) -> Result<i64> {
        let lookup = counter::lookup(&self.ring, name).0.to_vec();
        let rows = self.asked(COUNTER, vec![Box::new(lookup)]).await?;
        let Some(row) = rows.first() else {
            return Ok(0);
        };
        let counter = Counter {
            value: row.get(0),
            expires: moment(row.get(1), row.get(2))?,
        };
        Ok(counter.at(now))
    }

    /// What wraps a key.
    pub(super) async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        let rows = self.asked(WRAPPER, vec![Box::new(key.0)]).await?;
        Ok(rows
            .first()
            .and_then(|row| row.get::<_, Option<Uuid>>(0))
            .map(KeyId))
    }

    /// What goes with a key.
    pub(super) async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        let rows = self.asked(UNDER, vec![Box::new(key.0)]).await?;
        Ok(rows.iter().map(|row| KeyId(row.get(0))).collect())
    }

    /// The next records after a position, at most so many. There is no gap between them.
    pub(super) async fn log(
        &self,
        after: Position,
        limit: i64,
    ) -> Result<Vec<Result<(Position, Envelope)>>> {
        let values: Values = vec![Box::new(number(after.0)), Box::new(limit)];
        let whose = |position| format!("the record at position {position}");
        let found = self.found(LOG, values, whose).await?;
        let chain = found.chain(&self.ring)?;
        let mut expected = after.0;
        let mut log = Vec::with_capacity(found.records.len());
        for (place, record) in &found.records {
            expected += 1;
            if *place != expected {
                return Err(Error::Damaged {
                    path: "PostgreSQL".into(),
                    problem: format!(
                        "position {expected} is missing; restore the database from a backup"
                    ),
                });
            }
            log.push(seal::envelope(record, &chain).map(|it| (Position(*place), it)));
        }
        Ok(log)
    }
}

/// The id after this one.
fn following(id: Uuid) -> Option<Uuid> {
    id.as_u128().checked_add(1).map(Uuid::from_u128)
}
