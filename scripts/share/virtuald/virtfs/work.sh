# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/work.sh - the hidden directory in which a root is made, the record of a domain, and the numbers
# of its users.

# begin: opens the hidden directory for the new root, and chooses the numbers of
# the domain's users.
begin() {
  mkdir -p -- "$VIRTUAL" || die "$VIRTUAL: cannot be made"
  open_work
  try_file_system
  choose_numbers
  exec 8<&-
}

# open_work: makes the hidden directory, with a directory inside, and sets work
# and root to them. The lock on it is held as long as a process of this run lives,
# so a later run can tell what a killed one left, and removes that. The lock on
# the records is held from here on.
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

# try_file_system: dies where what is made could not serve: no device can be opened,
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

# lock_records: keeps other runs from looking at the records, and choosing
# numbers, at the same time. What is locked only root can open, so that nobody
# else can keep a run waiting.
lock_records() {
  make_records "$VIRTUAL"
  # shellcheck disable=SC2086 # a list of directories
  set -- ${LEADING:-} "$VIRTUAL"
  make_records "$1"
  exec 8<"$1/.virtfs"
  flock 8
}

# make_records DIRECTORY: makes the place for the records of its domains. Another
# run may be doing that too.
make_records() {
  [ -d "$1/.virtfs" ] || mkdir -m 0700 -- "$1/.virtfs" 2>/dev/null || [ -d "$1/.virtfs" ] ||
    die "$1: cannot write there"
}

# choose_numbers: sets numbers to "FIRST:LAST", the range for the domain's users,
# and writes them down where other runs see them, with what say_making says, of asked, which
# it sorts. They stay those that the
# domain's record has, or are the last of UID_RANGE that nobody has, neither on
# the host nor in another domain. What a domain says of itself is not asked.
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
      die "$domain: no $per_domain numbers in a row are free for its users in UID_RANGE $first_number-$last_number"
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

# free_numbers FILE...: prints the last range that no FILE names. The files are
# records, and those of /etc. The range is cut in places of the size that a
# domain gets, so that a domain costs no search.
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

# clear_leftover DIRECTORY: removes it unless its maker is still alive.
clear_leftover() {
  if (
    exec 7<"$1"
    flock -n 7
  ); then
    rm -rf -- "$1"
    say "Removed $1, which an interrupted run left"
  fi
}

clean_up() {
  local status=$?
  trap '' HUP INT TERM
  if "$step_open"; then
    printf '\n'
  fi
  # An ordinary user may not remove what is in a directory that nobody may write.
  ! "$draft" || chmod -R u+rwX -- "$work"
  [ -z "$work" ] || rm -rf -- "$work"
  remove_config_copies
  exit "$status"
}

# failed WHAT: the end of a step that could not be done; the program that failed has
# said why.
failed() {
  [ "$verb" = make ] || die "$1: failed"
  die "$1: failed, so $place was not made"
}
