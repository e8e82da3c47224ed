#!/bin/sh
# Flags and Traefik's own commands go to traefik; anything else is run as it is,
# so that `docker run IMAGE sh` opens a shell.
set -e

case "${1:-}" in
  '' | -*) set -- traefik "$@" ;;
  *)
    if ! command -v "$1" >/dev/null 2>&1 && traefik "$1" --help >/dev/null 2>&1; then
      set -- traefik "$@"
    fi
    ;;
esac

exec "$@"
