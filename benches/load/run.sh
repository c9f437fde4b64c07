#!/usr/bin/env bash
# run.sh [options of load.py]: builds the program as it is shipped, fills databases at size and measures.
# LOAD_POSTGRES: a PostgreSQL server whose account may create databases; without it one of our own is started.
# LOAD_BINARY: a program that is built already. LOAD_WORK: where everything is kept, so that a second run begins at once.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../.."
work="${LOAD_WORK:-${TMPDIR:-/tmp}/regulars-load-$(id -u)}"
mkdir -p "$work"

tools="python3 psql pgbench wrk"
case " $* " in *" --check "*) tools="python3 psql pgbench" ;; esac
for tool in $tools; do
  command -v "$tool" >/dev/null || { echo "FAILED: $tool is missing; on Debian: apt-get install python3 postgresql postgresql-contrib wrk" >&2; exit 1; }
done

binary="${LOAD_BINARY:-}"
if [ -z "$binary" ]; then
  cargo build --profile dist --locked
  binary="${CARGO_TARGET_DIR:-target}/dist/regulars"
fi

started=""
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u "$owner" -- "$@"); else "$@"; fi
}
finish() {
  if [ -n "$started" ]; then as_owner "$bin/pg_ctl" -D "$work/postgres/data" -m fast -s stop; fi
}
trap finish EXIT

if [ -z "${LOAD_POSTGRES:-}" ]; then
  bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)"
  [ -n "$bin" ] || bin="$(pg_config --bindir)"
  # PostgreSQL refuses to run as root.
  owner=nobody
  ! getent passwd postgres >/dev/null || owner=postgres
  mkdir -p "$work/postgres"
  chmod 755 "$work"
  [ "$(id -u)" != 0 ] || chown "$owner" "$work/postgres"
  if ! as_owner test -e "$work/postgres/data/PG_VERSION"; then
    as_owner "$bin/initdb" -D "$work/postgres/data" -U regulars --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$work/initdb.log"
  fi
  port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
  # As safe as by default (fsync, synchronous_commit); with memory for the whole database, as on a server of its own.
  as_owner "$bin/pg_ctl" -D "$work/postgres/data" -l "$work/postgres/log" -w -t 120 -s start -o "-h 127.0.0.1 -p $port \
    -k $work/postgres -c shared_buffers=1GB -c max_wal_size=8GB -c checkpoint_timeout=30min -c max_connections=200"
  started=yes
  LOAD_POSTGRES="postgres://regulars@127.0.0.1:$port/postgres"
fi
python3 "$here/load.py" --binary "$binary" --postgres "$LOAD_POSTGRES" --work "$work" "$@"
