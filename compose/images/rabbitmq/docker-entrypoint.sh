#!/usr/bin/env bash
# Runs the broker, or one of its tools, as the user rabbitmq.
#
# Settings, as in the official image: RABBITMQ_DEFAULT_USER, RABBITMQ_DEFAULT_PASS,
# RABBITMQ_DEFAULT_VHOST, RABBITMQ_NODENAME, files in /etc/rabbitmq/conf.d, and
# RABBITMQ_ERLANG_COOKIE.
set -euo pipefail

readonly data=/var/lib/rabbitmq

if [[ ${1:-} == rabbitmq* ]] && [ "$(id -u)" = 0 ]; then
  if [ "$1" = rabbitmq-server ]; then
    find "$data" ! -user rabbitmq -exec chown rabbitmq '{}' +
  fi
  exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "${BASH_SOURCE[0]}" "$@"
fi

# The broker and its tools share a cookie that only its owner may read. It is made here, since the
# first of them to run would make it, and that may be a health check that runs as root.
cookie=$data/.erlang.cookie
if [ -n "${RABBITMQ_ERLANG_COOKIE:-}" ] || [ ! -e "$cookie" ]; then
  random=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s' "${RABBITMQ_ERLANG_COOKIE:-$random}" >"$cookie")
  unset RABBITMQ_ERLANG_COOKIE
elif [ -O "$cookie" ]; then
  chmod 0600 "$cookie"
fi

# names with a dot are "long" in Erlang's sense
if [[ $(hostname) == *.* ]]; then
  export RABBITMQ_USE_LONGNAME=${RABBITMQ_USE_LONGNAME:-true}
fi

exec "$@"
