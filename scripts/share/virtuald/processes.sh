# shellcheck shell=sh
# processes.sh - processes and the roots that they have; for syslog.init and
# sendmail.init, which source common.sh first.

# pause: lets a moment pass between two looks at something awaited.
pause() {
  sleep 0.1 2>/dev/null || sleep 1
}

# one_line TEXT: prints the text with its lines joined, and without what could
# play tricks on a terminal.
one_line() {
  printf '%s\n' "$1" | tr '\n' ' ' | tr -cd ' -~' | sed 's/ $//'
}

# born PID: prints when the process started, in ticks since the boot; with it
# a pid that was given to another process since is told apart.
born() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name, in parentheses, may hold anything.
  # shellcheck disable=SC2086
  set -- ${line##*) }
  [ "$1" != Z ] || return 1
  printf '%s\n' "${20:-}"
}

# note FILE PID...: writes down the processes, for recall. The file replaces
# an older one in one step.
note() {
  local file="$1" pid
  shift
  mkdir -p -- "${file%/*}"
  for pid in "$@"; do
    printf '%s %s\n' "$pid" "$(born "$pid")"
  done >"$file.new"
  mv -f -- "$file.new" "$file"
}

# recall FILE: prints the pids of those processes in it that still run.
recall() {
  local pid since
  [ -f "$1" ] || return 0
  while read -r pid since; do
    if [ "$(born "$pid")" = "$since" ]; then
      printf '%s\n' "$pid"
    fi
  done <"$1"
}

# end FILE: ends the processes written down in it, and forgets them.
end() {
  local pid tries=0
  for pid in $(recall "$1"); do
    kill "$pid" 2>/dev/null || :
  done
  while [ -n "$(recall "$1")" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
      warn "process $(one_line "$(recall "$1")"): does not end"
      return 1
    fi
    pause
  done
  rm -f -- "$1" "$1.pid"
}

# name_of PID: prints the name of its program with the pid.
name_of() {
  local name='?'
  { read -r name <"/proc/$1/comm"; } 2>/dev/null || :
  printf '%s (process %s)' "$(one_line "$name")" "$1"
}

# has_root PID ROOT: true when that is the root of the process. The name alone
# would take the root of a container for the host's, both being /. In a user
# namespace everybody can change roots, and mount over names.
has_root() {
  [ "$(readlink "/proc/$1/ns/user")" = "$(readlink /proc/self/ns/user)" ] &&
    [ "$(readlink "/proc/$1/root")" = "$2" ] &&
    [ "$(stat -L -c %d:%i -- "/proc/$1/root" 2>/dev/null)" = "$(stat -c %d:%i -- "$2")" ]
}

# root_of DOMAIN: prints its directory, as the kernel names it; / for the host.
root_of() {
  if [ "$1" = / ]; then
    printf '/\n'
  else
    (cd -P -- "$VIRTUAL/$1" && pwd -P)
  fi
}

# program_in ROOT NAME: prints the path that NAME has inside ROOT, by PATH;
# false if it is not there. A link counts, since where it leads is known
# only from inside; a directory that is a link does not, since from here it could
# lead to the host's programs. A bare name would not do where a shell has
# built-in programs, as busybox has.
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

# in_root ROOT COMMAND...: becomes the command there, away from the terminal
# and from the caller's environment. Call it in a subshell.
in_root() {
  exec setsid env -i PATH="$root_path" chroot "$@" </dev/null
}

# ask_root SECONDS ROOT COMMAND...: the same with a limit of time, which the
# command cannot outlive.
ask_root() {
  local limit="$1"
  shift
  exec setsid timeout -s KILL "$limit" env -i PATH="$root_path" chroot "$@" </dev/null
}
