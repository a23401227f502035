# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/work.sh - the hidden directory in which a root is made, the lock on the records, and
# the numbers of a domain's users.

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
# It locks the hidden directory for as long as a process of this run lives: a later run
# removes the directory of one that was killed, and knows it by that. From here on the
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
  trap 'exit 1' HUP INT TERM
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
# time. Only root can open the directory that is locked, so nobody else can keep a run
# waiting.
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

# choose_numbers: sets numbers to "FIRST:LAST", the range for the domain's users, and writes
# the new record, where other runs see it. A domain that has a record keeps its numbers;
# another gets the last ones of UID_RANGE that are free on the host and in all domains.
# Files in a domain are not read for that. It sets asked to its sorted lines.
choose_numbers() {
  local directory file record="$VIRTUAL/.virtfs/$domain"
  if [ -f "$record" ] && numbers=$(grep '^numbers:[0-9]*:[0-9]*$' -- "$record"); then
    numbers=${numbers#numbers:}
  else
    set --
    for directory in "$VIRTUAL" ${LEADING:-}; do
      for file in "$directory"/.virtfs/* "$directory"/.virtfs.*/record; do
        [ ! -f "$file" ] || set -- "$@" "$file"
      done
    done
    for file in /etc/passwd /etc/group /etc/subuid /etc/subgid; do
      [ ! -f "$file" ] || set -- "$@" "$file"
    done
    numbers=$(free_numbers "$@") || failed 'the numbers of users'
    [ -n "$numbers" ] ||
      die "$domain: no $per_domain consecutive numbers are free for its users in UID_RANGE $first_number-$last_number"
  fi
  asked=$(printf '%s' "$asked" | sort -u)
  asked=$asked${asked:+"$newline"}
  find_version
  {
    printf 'numbers:%s\n' "$numbers"
    say_each line: "$pairs"
    say_making
    printf 'made:%s\n' "$today"
  } >"$work/record"
}

# free_numbers FILE...: prints the last range that no FILE uses. The files are records and
# those of /etc. UID_RANGE is divided into places of the size that a domain gets, so that
# none has to be searched for.
free_numbers() {
  awk -F : -v first="$first_number" -v last="$last_number" -v size="$per_domain" '
    function take(from, to,   place) {
      if (from < first) from = first
      if (to > last) to = last
      for (place = int((from - first) / size); place <= (to - first) / size && from <= to; place++) taken[place]
    }
    FILENAME == "/etc/passwd" { take($3 + 0, $3 + 0); take($4 + 0, $4 + 0); next }
    FILENAME == "/etc/group" { take($3 + 0, $3 + 0); next }
    FILENAME ~ /^\/etc\/sub[ug]id$/ { take($2 + 0, $2 + $3 - 1); next }
    $1 == "numbers" { take($2 + 0, $3 + 0) }
    END {
      for (place = int((last - first + 1) / size) - 1; place >= 0; place--)
        if (!(place in taken)) {
          printf "%.0f:%.0f\n", first + place * size, first + place * size + size - 1
          break
        }
    }' "$@"
}

# clear_leftover DIRECTORY: removes it unless the run that made it is still alive.
clear_leftover() {
  if (
    exec 7<"$1"
    flock -n 7
  ); then
    rm -rf -- "$1"
    say "Removed $1, left by an interrupted run"
  fi
}

clean_up() {
  local status=$?
  trap '' HUP INT TERM
  if "$step_open"; then
    printf '\n'
  fi
  # An ordinary user cannot remove files from a directory without the permission to write.
  ! "$draft" || chmod -R u+rwX -- "$work"
  [ -z "$work" ] || rm -rf -- "$work"
  remove_config_copies
  exit "$status"
}

# failed WHAT: dies after a step that failed; the program that failed has said why.
failed() {
  [ "$verb" = make ] || die "$1: failed"
  die "$1: failed, so $place was not made"
}
