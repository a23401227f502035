# shellcheck shell=sh
# processes.sh - processes and their roots; for virtfs, syslog.init and sendmail.init, which source common.sh first.
#
# Here a process is a line "PID BIRTH", because another process may get the pid before it is used. BIRTH is when it
# started, in clock ticks since the host booted.

# pause: waits a moment before the next look.
pause() {
  sleep 0.1 2>/dev/null || sleep 1
}

# one_line TEXT: prints the text on one line, without characters that could
# control a terminal.
one_line() {
  printf '%s\n' "$1" | tr '\n' ' ' | tr -cd ' -~' | sed 's/ $//'
}

# born PID: prints its birth; false if there is no such process, or only a zombie.
born() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name, in parentheses, may contain anything.
  # shellcheck disable=SC2086
  set -- ${line##*) }
  [ "$1" != Z ] || return 1
  printf '%s\n' "${20:-}"
}

# name_of PROCESS...: prints the name and pid of the first process.
name_of() {
  local pid="${1%% *}" name='?'
  { read -r name <"/proc/$pid/comm"; } 2>/dev/null || :
  printf '%s (process %s)' "$(one_line "$name")" "$pid"
}

# note FILE PROCESSES: writes the processes to FILE, one per line, for recall and end. An older file is replaced
# atomically.
note() {
  mkdir -p -- "${1%/*}"
  printf '%s\n' "$2" >"$1.new"
  mv -f -- "$1.new" "$1"
}

# recall FILE...: prints the processes in these files that still run. One without a birth had ended when it was noted.
recall() {
  local file pid since
  for file in "$@"; do
    while read -r pid since; do
      if [ -n "$since" ] && [ "$(born "$pid")" = "$since" ]; then
        printf '%s %s\n' "$pid" "$since"
      fi
    done <"$file"
  done
}

# signal NAME FILE...: sends the signal to the processes in these files that still run.
signal() {
  local name="$1" pid since
  shift
  recall "$@" | while read -r pid since; do
    [ "$(born "$pid")" != "$since" ] || kill "-$name" "$pid" 2>/dev/null || :
  done
}

# end FILE...: ends the processes in these files, and removes the files. A process that SIGTERM does not end within five
# seconds is killed.
end() {
  local tries=0 file pids
  signal TERM "$@"
  while [ -n "$(recall "$@")" ]; do
    tries=$((tries + 1))
    [ "$tries" -ne 50 ] || signal KILL "$@"
    if [ "$tries" -gt 100 ]; then
      pids=$(recall "$@" | cut -d ' ' -f 1)
      warn "process $(one_line "$pids"): does not end"
      return 1
    fi
    pause
  done
  for file in "$@"; do
    rm -f -- "$file" "$file.pid"
  done
}

# inodes_of NAME...: prints "DEVICE:INODE NAME" for each that exists. A domain may have more processes than a command
# takes names.
inodes_of() {
  printf '%s\n' "$@" | tr '\n' '\0' | xargs -0 stat -L -c '%d:%i %n' -- 2>/dev/null
}

# processes_in ROOT: prints the pids of the processes that seem to have that root, in a single pass. To be sure, ask
# has_root.
processes_in() {
  inodes_of "$1" /proc/[0-9]*/root | awk '
    NR == 1 && $2 ~ /^\/proc\/[0-9]+\/root$/ { exit }
    NR == 1 { root = $1; next }
    $1 == root { split($2, part, "/"); print part[3] }'
}

# has_root PID ROOT: true if that is the root of the process: the same directory under any name, because an isolated
# process calls it "/". Processes in a user namespace do not count, because anyone can choose a root there.
has_root() {
  [ "$(readlink "/proc/$1/ns/user")" = "$(readlink /proc/self/ns/user)" ] &&
    [ "$(stat -L -c %d:%i -- "/proc/$1/root" 2>/dev/null)" = "$(stat -L -c %d:%i -- "$2")" ]
}

# is_of PID ACCOUNT...: true if the process belongs to root or to one of these accounts of the host.
is_of() {
  local account owner
  owner=$(awk '$1 == "Uid:" { print $2 }' "/proc/$1/status" 2>/dev/null)
  [ "$owner" != 0 ] || return 0
  shift
  for account in "$@"; do
    if [ -n "$owner" ] && [ "$owner" = "$(id -u "$account" 2>/dev/null)" ]; then
      return 0
    fi
  done
  return 1
}

# root_of DOMAIN: prints the real path of its directory; / for the host.
root_of() {
  if [ "$1" = / ]; then
    printf '/\n'
  else
    (cd -P -- "$VIRTUAL/$1" && pwd -P)
  fi
}

# program_in ROOT NAME: prints the path of NAME inside ROOT, searched on PATH; false if it is missing. A link counts,
# because its target is known only inside; a directory that is a link does not, because from here it could lead to the
# host's programs. A name alone is not enough: busybox sh would run its own program of that name.
program_in() {
  local rest place
  case $2 in
  /*) set -- "$1" "${2##*/}" "${2%/*}:" ;;
  *) set -- "$1" "$2" "$PATH:" ;;
  esac
  rest=$3
  while [ -n "$rest" ]; do
    place=${rest%%:*}
    rest=${rest#*:}
    if [ "$1" = / ]; then
      [ -f "$place/$2" ] || continue
      [ -x "$place/$2" ] || continue
    else
      [ ! -L "$1$place" ] || continue
      [ -L "$1$place/$2" ] || [ -f "$1$place/$2" ] || continue
    fi
    printf '%s\n' "$place/$2"
    return 0
  done
  return 1
}
