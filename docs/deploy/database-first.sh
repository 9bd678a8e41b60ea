#!/bin/sh
# Run once by the image of PostgreSQL, when the database is made: a role for the standby, and that every commit
# waits for it from now on. Set last: what is made here would wait for a standby that is not there yet.
set -eu
{
    printf "CREATE ROLE standby REPLICATION LOGIN PASSWORD '%s';\n" "$(sed "s/'/''/g" /run/secrets/standby)"
    echo "SELECT pg_create_physical_replication_slot('db2');"
    echo "ALTER SYSTEM SET max_slot_wal_keep_size = '2GB';"
    echo "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2)';"
} | psql --set=ON_ERROR_STOP=1 --quiet --username="$POSTGRES_USER" --dbname="$POSTGRES_DB"
echo "host replication standby samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
