# shellcheck shell=sh
# init.sh - what an init script says and is told; for syslog.init and
# sendmail.init, which source common.sh first.

# tell MESSAGE: says "program: MESSAGE" on standard output.
tell() {
  printf '%s: %s\n' "$program" "$1"
}
