#!/bin/sh
# The standby: a copy of the first database, made when there is none yet, which has every commit before it is
# acknowledged.
set -eu
if ! [ -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$(cat /run/secrets/standby)
    export PGPASSWORD
    pg_basebackup --dbname="host=${PRIMARY:-db-1} user=standby" --slot=db2 \
        --pgdata="$PGDATA" --write-recovery-conf --wal-method=stream --checkpoint=fast
    # Whoever takes over from the first one waits for nobody.
    echo "synchronous_standby_names = ''" >>"$PGDATA/postgresql.auto.conf"
    chmod 700 "$PGDATA"
fi
# The name by which the first one waits for it. The copy above goes by another one, so that nothing is acknowledged
# that only a half-finished copy has.
exec postgres -c cluster_name=db2
