//! The two scripts of the compose file that make PostgreSQL follow: run by real programs, with other places and ports.

use crate::support::{database, free_port, skip};

use super::file;

/// What the containers would do, one after the other, in a folder of its own. Its last lines are what is compared.
const COURSE: &str = r#"
set -e
cd "$FOLDER"
trap 'set +e; pg_ctl -D one -m immediate stop >/dev/null 2>&1; pg_ctl -D two -m immediate stop >/dev/null 2>&1' EXIT
initdb -D one -U gatelog --auth-host=scram-sha-256 --auth-local=trust >log
# The image of PostgreSQL runs what is to be done first on a server that no network reaches.
pg_ctl -D one -o "-p $ONE -k $FOLDER -c listen_addresses=''" -w start >>log
createdb -h "$FOLDER" -p "$ONE" -U gatelog gatelog
PGDATA="$FOLDER/one" POSTGRES_USER=gatelog POSTGRES_DB=gatelog PGHOST=$FOLDER PGPORT=$ONE sh ./first.sh >>log
pg_ctl -D one -w stop >>log
pg_ctl -D one -o "-p $ONE -k $FOLDER -c listen_addresses=127.0.0.1" -w start >>log
mkdir two
PGDATA="$FOLDER/two" PRIMARY=127.0.0.1 PGPORT=$ONE sh ./standby.sh >>log 2>&1 &
# Waits for the standby: nothing is acknowledged without it.
sql() { psql -h "$FOLDER" -p "$1" -U gatelog -Atqc "$2" gatelog; }
sql "$ONE" "CREATE TABLE step (number int); INSERT INTO step VALUES (1)"
sql "$ONE" "SELECT application_name, sync_state FROM pg_stat_replication"
pg_ctl -D one -m immediate stop >>log
pg_ctl -D two -w promote >>log
# The new one waits for nobody.
sql "$TWO" "INSERT INTO step VALUES (2); SELECT count(*) FROM step"
"#;

#[test]
fn the_scripts_of_the_cluster_make_a_standby_that_has_all_that_was_acknowledged_and_takes_over() {
    let Some(programs) = database::programs() else {
        skip("PostgreSQL (initdb and postgres)");
        return;
    };
    let ports = [free_port(), free_port()];
    let folder = tempfile::tempdir().expect("a directory");
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), everybody).expect("it is ours");
    let here = folder.path().display().to_string();
    let secret = folder.path().join("standby");
    // One that has to be quoted.
    std::fs::write(&secret, "it's a long one").expect("written");
    for (name, script) in [
        ("first", "database-first.sh"),
        ("standby", "database-standby.sh"),
    ] {
        let text = file(script).replace("/run/secrets", &here);
        let listens = format!(
            "exec postgres -p {} -k {here} -c listen_addresses=",
            ports[1]
        );
        let text = text.replace("exec postgres", &listens);
        std::fs::write(folder.path().join(format!("{name}.sh")), text).expect("written");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = database::shell()
        .args(["-c", COURSE])
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("FOLDER", &here)
        .env("ONE", ports[0].to_string())
        .env("TWO", ports[1].to_string())
        .output()
        .expect("a shell");
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{ran:?}\n{}", log());
    assert_eq!(said, "db2|quorum\n2\n", "{}", log());
}
