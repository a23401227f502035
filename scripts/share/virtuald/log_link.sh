# shellcheck shell=sh
# log_link.sh - gives a domain the log socket, $VIRTUAL/log: with a hard link, or with a mount if it leads to the socket
# of systemd-journald, which is on another file system. A socket for one domain, $VIRTUAL/.log/DOMAIN, takes precedence.
# For virtfs and syslog.init, which source common.sh first and call find_virtuald.

# The socket of systemd-journald.
journal=/run/systemd/journal/dev-log

# log_socket DOMAIN: prints the path of the socket that the domain logs to.
log_socket() {
  if [ -S "$VIRTUAL/.log/$1" ]; then
    printf '%s\n' "$VIRTUAL/.log/$1"
  elif is_journal; then
    printf '%s\n' "$journal"
  else
    printf '%s\n' "$VIRTUAL/log"
  fi
}

# is_journal: true if the domains log to the journal.
is_journal() {
  [ "$(readlink -- "$VIRTUAL/log")" = "$journal" ]
}

# check_dev ROOT: true if ROOT/dev is a directory in ROOT itself, not the host's,
# and only root can write to it, so that nothing made there can be redirected.
check_dev() (
  enter_dev "$1"
)

# enter_dev ROOT: changes to ROOT/dev if it is as check_dev requires. The working directory itself is checked, so the
# domain cannot replace it afterwards.
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
    warn "$1/dev: writable by users other than root: no log socket made there"
    return 1
    ;;
  esac
}

# is_linked ROOT: true if its dev/log is the log socket.
is_linked() (
  enter_dev "$1" && same_file "$(log_socket "${1##*/}")" ./log
)

# same_file A B: true if both exist and are the same file. Links are not
# followed.
same_file() {
  # shellcheck disable=SC2046 # two words, or fewer
  set -- $(stat -c %d:%i -- "$1" "$2" 2>/dev/null)
  [ $# -eq 2 ] && [ "$1" = "$2" ]
}

# link_log ROOT DOMAIN: makes ROOT/dev/log the log socket of DOMAIN, so that the logger receives the messages of
# programs in ROOT. A dev that check_dev refuses is left alone. On failure, warns and returns false.
link_log() (
  socket=$(log_socket "$2")
  enter_dev "$1" || return 1
  # ln refuses to replace a link with itself.
  if same_file "$socket" ./log; then
    return 0
  fi
  if [ -d ./log ] && [ ! -L ./log ]; then
    warn "$1/dev/log: a directory: no log socket made there"
    return 1
  fi
  unmount_here "$1" || return 1
  if [ "$socket" = "$journal" ]; then
    mount_here "$1"
  else
    link_here "$1" "$socket"
  fi
)

# link_here ROOT SOCKET: a step of link_log: makes a hard link in the working directory, ROOT/dev.
link_here() {
  local failure
  # A hard link cannot cross a bind mount, although the device is the same, so
  # the only test is to try. With -T, ln does not enter a directory that has been
  # made there since.
  if failure=$(ln -f -T -- "$2" ./log 2>&1); then
    return 0
  fi
  case $failure in
  *ross-device*)
    warn "$1/dev/log: on a different file system from $2: domains on another disk need a leading directory and a logger there, one per disk: VIRTUAL=/that/disk syslog.init start"
    ;;
  *) warn "$1/dev/log: not made: $failure" ;;
  esac
  return 1
}

# mount_here ROOT: a step of link_log: mounts the journal's socket there instead.
mount_here() {
  local failure
  if failure=$(rm -f -- ./log 2>&1) && failure=$(by_hand mount-log "$journal" 2>&1); then
    return 0
  fi
  warn "$1/dev/log: not mounted: $(one_line "${failure#virtuald: }")"
  rm -f -- ./log
  return 1
}

# unmount_here ROOT: unmounts the journal's socket, as many times as it is mounted there.
unmount_here() {
  local failure status=0
  while [ "$status" -eq 0 ] && [ -S ./log ]; do
    failure=$(by_hand unmount-log "${journal%/*}" 2>&1) || status=$?
  done
  [ "$status" -le 1 ] || warn "$1/dev/log: not unmounted: $(one_line "${failure#virtuald: }")"
  [ "$status" -le 1 ]
}

# unlink_log ROOT: unmounts the journal's socket from ROOT/dev/log. False if it is not
# mounted there, or cannot be unmounted.
unlink_log() (
  enter_dev "$1" 2>/dev/null && [ -S ./log ] && unmount_here "$1" && rm -f -- ./log
)

# journal_mounts: prints the places below the leading directory where the journal's socket is mounted, one per line, as
# in mountinfo.
journal_mounts() {
  awk -v top="$(cd -P -- "$VIRTUAL" && pwd -P)/" '$4 ~ /\/systemd\/journal\/dev-log(\/\/deleted)?$/ && index($5, top) == 1 { print $5 }' \
    /proc/self/mountinfo
}

# by_hand ARGUMENT...: runs virtuald-by-hand, which mounts safely where a shell cannot, because the domain may replace
# files at any time. The working directory is the domain's, so the program is run by its absolute path only.
by_hand() {
  local directory=''
  [ -z "$virtuald" ] || directory=$(dirname -- "$(readlink -f -- "$virtuald")")/../libexec/virtuald
  if [ ! -x "$directory/virtuald-by-hand" ]; then
    printf 'virtuald-by-hand: not found: install virtuald again\n' >&2
    return 125
  fi
  "$directory/virtuald-by-hand" "$@"
}
