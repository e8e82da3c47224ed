#!/usr/bin/env bash
# Makes the database on the first start, then runs the server.
#
# Settings, as in the official image: POSTGRES_USER (postgres), POSTGRES_PASSWORD, POSTGRES_DB (the
# user's name), POSTGRES_INITDB_ARGS, each also as …_FILE; POSTGRES_HOST_AUTH_METHOD; PGDATA.
# Files in /docker-entrypoint-initdb.d run once, in the order of their names: *.sh, *.sql, *.sql.gz.
set -euo pipefail

die() {
  printf 'postgres: %s\n' "$*" >&2
  exit 1
}

# setting NAME DEFAULT: sets NAME from itself, from the file that NAME_FILE names, or to DEFAULT
setting() {
  local name=$1 file_name=${1}_FILE
  local file=${!file_name:-} value=${!1:-}
  [ -z "$file" ] || [ -z "$value" ] || die "$name and $file_name are both set: only one may be"
  if [ -n "$file" ]; then
    value=$(<"$file") || die "$file_name: $file cannot be read by $(id -un)"
  fi
  printf -v "$name" '%s' "${value:-$2}"
  unset "$file_name"
}

prepare_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql
  if ! chown postgres "$PGDATA" || ! chmod 0700 "$PGDATA"; then
    die 'root needs the capabilities CHOWN, DAC_OVERRIDE, FOWNER, SETGID and SETUID; run it as user 999:999 to need none'
  fi
  find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres '{}' +
}

psql_as_owner() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" \
    --no-password "$@"
}

run_init_files() {
  local file
  shopt -s nullglob
  for file in /docker-entrypoint-initdb.d/*; do
    printf 'postgres: running %s\n' "$file"
    case $file in
      *.sh)
        if [ -x "$file" ]; then
          "$file"
        else
          # shellcheck disable=SC1090  # the files are the user's
          . "$file"
        fi
        ;;
      *.sql) psql_as_owner --dbname "$POSTGRES_DB" --file "$file" ;;
      *.sql.gz) gunzip -c "$file" | psql_as_owner --dbname "$POSTGRES_DB" ;;
      *) printf 'postgres: %s is neither *.sh, *.sql nor *.sql.gz: left alone\n' "$file" >&2 ;;
    esac
  done
  shopt -u nullglob
}

# Makes the cluster in PGDATA/.new and moves it to its place when it is complete, PG_VERSION last:
# a first start that was broken off begins anew.
make_database() {
  local arguments=() place=$PGDATA
  setting POSTGRES_USER postgres
  setting POSTGRES_PASSWORD ''
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS ''
  local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  [ -n "$POSTGRES_PASSWORD" ] || [ "$method" = trust ] ||
    die 'no password: set POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD (or POSTGRES_HOST_AUTH_METHOD=trust, which lets everyone in)'

  find "$place" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf '{}' +
  export PGDATA=$place/.new
  read -ra arguments <<<"$POSTGRES_INITDB_ARGS"
  if [ -n "$POSTGRES_PASSWORD" ]; then
    exec {password}< <(printf '%s\n' "$POSTGRES_PASSWORD")
    arguments+=("--pwfile=/dev/fd/$password")
  fi
  initdb --username="$POSTGRES_USER" --auth-local=trust --auth-host="$method" \
    "${arguments[@]}" >/dev/null
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # only on the socket, so that nobody sees the database half made
  pg_ctl --wait --silent start --options="-c listen_addresses=''"
  if [ "$POSTGRES_DB" != postgres ]; then
    psql_as_owner --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  export POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
  PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB run_init_files
  unset POSTGRES_PASSWORD
  pg_ctl --wait --silent stop --mode=fast

  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv --target-directory="$place" '{}' +
  mv "$PGDATA/PG_VERSION" "$place"
  rmdir "$PGDATA"
  export PGDATA=$place
}

if [ "$#" = 0 ] || [ "${1:0:1}" = - ]; then
  set -- postgres "$@"
fi

if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then
    prepare_folders
    exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
  fi
  mkdir -p "$PGDATA"
  [ ! -O "$PGDATA" ] || chmod 0700 "$PGDATA"
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    make_database
  fi
fi

exec "$@"
