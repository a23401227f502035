# shellcheck shell=sh
# init.sh - what an init script says and is told; for syslog.init and
# sendmail.init, which source common.sh first.

# tell MESSAGE: says "program: MESSAGE" on standard output.
tell() {
  printf '%s: %s\n' "$program" "$1"
}

# read_options ARGUMENT...: shows the usage at -h, the only option.
read_options() {
  local option
  while getopts h option; do
    case $option in
    h)
      usage
      exit 0
      ;;
    *) bad_usage ;;
    esac
  done
}

# find_domains: sets domains to the names of all domains, a line for each,
# VIRTUAL to its real path, and PATH to the caller's with root's behind it.
find_domains() {
  PATH=${PATH:+$PATH:}$root_path
  [ -d "$VIRTUAL" ] || die "$VIRTUAL: no such leading directory"
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  domains=$(list_domains)
}
