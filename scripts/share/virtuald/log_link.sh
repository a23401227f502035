# shellcheck shell=sh
# log_link.sh - the link by which a domain reaches the log socket, $VIRTUAL/log;
# for virtfs and syslog.init, which source common.sh first.

# check_dev ROOT: true when ROOT/dev is a directory of ROOT itself that only
# root can write; what is put there cannot be made to land elsewhere then.
check_dev() (
  enter_dev "$1"
)

# enter_dev ROOT: goes to ROOT/dev, if that is what check_dev says. What a domain
# puts there afterwards leads nowhere else: what is checked is where we are.
enter_dev() {
  local real
  real=$(cd -P -- "$1" && pwd -P) || return 1
  if [ -L "$real/dev" ] || ! { cd -P -- "$real/dev"; } 2>/dev/null || [ "$(pwd -P)" != "${real%/}/dev" ]; then
    warn "$1/dev: not a directory: no log socket made there"
    return 1
  fi
  # shellcheck disable=SC2046 # three words, and one of the host's
  set -- "$1" $(stat -c '%d:%i %u %a' .) $(stat -c %d:%i /dev)
  if [ "${2-}" = "${5-}" ]; then
    warn "$1/dev: the /dev of the host: no log socket made there"
    return 1
  fi
  if [ "$3" != 0 ]; then
    warn "$1/dev: not owned by root: no log socket made there"
    return 1
  fi
  case $4 in
  *[2367] | *[2367]?)
    warn "$1/dev: writable by others than root: no log socket made there"
    return 1
    ;;
  esac
}

# is_linked ROOT: true when its dev/log is the log socket.
is_linked() (
  enter_dev "$1" && same_file "$VIRTUAL/log" ./log
)

# same_file A B: true when both are there and are one file. Links are not
# followed.
same_file() {
  # shellcheck disable=SC2046 # two words, or fewer
  set -- $(stat -c %d:%i -- "$1" "$2" 2>/dev/null)
  [ $# -eq 2 ] && [ "$1" = "$2" ]
}

# link_log ROOT: makes ROOT/dev/log a hard link to the log socket,
# $VIRTUAL/log, so that a logger listening there hears the programs in ROOT.
# A ROOT whose dev is not a directory of root's own is refused, since the
# link could be made to land elsewhere. What fails is warned about; false then.
link_log() (
  local failure
  enter_dev "$1" || return 1
  # ln refuses to replace a link by itself.
  if same_file "$VIRTUAL/log" ./log; then
    return 0
  fi
  if [ -d ./log ] && [ ! -L ./log ]; then
    warn "$1/dev/log: a directory: no log socket made there"
    return 1
  fi
  # A bind mount is on the same device and still out of a link's reach, so
  # only the attempt can tell. -T: what is there by now is never gone into.
  if failure=$(ln -f -T -- "$VIRTUAL/log" ./log 2>&1); then
    return 0
  fi
  case $failure in
  *ross-device*)
    warn "$1/dev/log: on another file system than $VIRTUAL/log: domains on another disk need a leading directory and a logger there, one per disk: VIRTUAL=/that/disk syslog.init start"
    ;;
  *) warn "$1/dev/log: not made: $failure" ;;
  esac
  return 1
)
