# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/work.sh - the hidden directory in which a root is made, and the lock on the records.

# begin: opens the hidden directory for the new root, and chooses the numbers of
# the domain's users.
begin() {
  mkdir -p -- "$VIRTUAL" || die "$VIRTUAL: cannot be made"
  open_work
  try_file_system
  choose_numbers
  exec 8<&-
}

# open_work: makes the hidden directory and one inside it, and sets work and root to them.
# The hidden directory stays locked as long as a process of this run lives: a later run
# removes those without a lock, whose runs were killed. From here on the
# records are locked too.
open_work() {
  local leftover
  lock_records
  for leftover in "$VIRTUAL"/.virtfs.*; do
    if [ -d "$leftover" ] && [ ! -L "$leftover" ]; then
      clear_leftover "$leftover"
    fi
  done
  trap clean_up EXIT
  trap 'exit 1' HUP INT PIPE TERM
  work=$(mktemp -d -- "$VIRTUAL/.virtfs.XXXXXX") || die "$VIRTUAL: cannot write there"
  exec 9<"$work"
  flock 9
  root=$work/root
  mkdir -- "$root"
}

# try_file_system: dies if a domain there could not serve, because no device could be opened
# or no program started.
try_file_system() {
  mknod "$work/device" c 1 3 || die "$VIRTUAL: no device can be made there"
  { true <"$work/device"; } 2>/dev/null ||
    die "$VIRTUAL: on a file system that is mounted nodev: dev/null could not be opened in a domain there"
  printf '#!/bin/sh\n' >"$work/program"
  chmod 0700 "$work/program"
  "$work/program" 2>/dev/null ||
    die "$VIRTUAL: on a file system that is mounted noexec: no program would start in a domain there"
}

# lock_records: keeps other runs from reading the records and choosing numbers at the same
# time. Only root can open the locked directory, so nobody else can make a run wait.
lock_records() {
  make_records "$VIRTUAL"
  # shellcheck disable=SC2086 # a list of directories
  set -- ${LEADING:-} "$VIRTUAL"
  make_records "$1"
  exec 8<"$1/.virtfs"
  flock 8
}

# make_records DIRECTORY: makes the directory for the records of its domains. Another run
# may do that at the same time.
make_records() {
  [ -d "$1/.virtfs" ] || mkdir -m 0700 -- "$1/.virtfs" 2>/dev/null || [ -d "$1/.virtfs" ] ||
    die "$1: cannot write there"
}

# clear_leftover DIRECTORY: removes it unless the run that made it is still alive.
clear_leftover() {
  if (
    exec 7<"$1"
    flock -n 7
  ); then
    if rm -rf -- "$1"; then
      say "Removed $1, left by an interrupted run"
    else
      warn "$1: left by an interrupted run, and cannot be removed"
    fi
  fi
}

clean_up() {
  local status=$?
  trap '' HUP INT TERM
  if "$step_open"; then
    printf '\n'
  fi
  # An ordinary user cannot remove files from directories of the draft that are not writable.
  ! "$draft" || chmod -R u+rwX -- "$work"
  [ -z "$work" ] || rm -rf -- "$work"
  remove_config_copies
  exit "$status"
}

# failed WHAT: dies after a step that failed; the program that failed has printed the reason.
failed() {
  [ "$verb" = make ] || die "$1: failed"
  die "$1: failed, so $place was not made"
}
