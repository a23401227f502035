# shellcheck shell=sh
# log_link.sh - the link by which a domain reaches the log socket, $VIRTUAL/log;
# for virtfs and syslog.init, which source common.sh first.

# check_dev ROOT: true when ROOT/dev is a directory of ROOT itself that only
# root can write; what is put there cannot be made to land elsewhere then.
check_dev() {
  if [ -L "$1/dev" ] || [ ! -d "$1/dev" ]; then
    warn "$1/dev: not a directory: no log socket made there"
    return 1
  fi
  # shellcheck disable=SC2046 # three words, and two of the host's
  set -- "$1" $(stat -c '%d:%i %u %a' -- "$1/dev") $(stat -c %d:%i /dev)
  if [ "$2" = "$5" ]; then
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
link_log() {
  local failure
  check_dev "$1" || return 1
  # ln refuses to replace a link by itself.
  if same_file "$VIRTUAL/log" "$1/dev/log"; then
    return 0
  fi
  if [ -d "$1/dev/log" ]; then
    warn "$1/dev/log: a directory: no log socket made there"
    return 1
  fi
  # A bind mount is on the same device and still out of a link's reach, so
  # only the attempt can tell.
  if failure=$(ln -f -- "$VIRTUAL/log" "$1/dev/log" 2>&1); then
    return 0
  fi
  case $failure in
  *ross-device*)
    warn "$1/dev/log: on another file system than $VIRTUAL/log: domains on another disk need a leading directory and a logger there, one per disk: VIRTUAL=/that/disk syslog.init start"
    ;;
  *) warn "$1/dev/log: not made: $failure" ;;
  esac
  return 1
}
