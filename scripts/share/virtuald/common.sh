# shellcheck shell=sh
# common.sh - what the scripts of virtuald share; they source this file.
#
# It sets, and every function below relies on:
#   program     the name that the script was called by, for messages
#   VIRTUAL     the leading directory, which holds the domains; from the
#               environment, else /etc/default/virtuald, else /virtual
#   die_status  the status that die leaves with; a script may change it
#   newline     a newline

# read_settings FILE: takes the settings of FILE, a list of assignments. What
# the caller's environment holds already wins over it, so that
# "VIRTUAL=/virtual2 syslog.init start" does what it says.
read_settings() {
  [ -r "$1" ] || return 0
  given=$(export -p)
  # shellcheck source=/dev/null
  . "$1"
  eval "$given"
}

program=${0##*/}
read_settings /etc/default/virtuald
VIRTUAL=${VIRTUAL:-/virtual}
die_status=1
newline='
'

# The output of other programs is read here, and names are sorted and
# matched: both must be the same in every locale.
LC_ALL=C
export LC_ALL

# warn MESSAGE: says "program: MESSAGE" on standard error. The message is
# written as "what: why".
warn() {
  printf '%s: %s\n' "$program" "$1" >&2
}

# die MESSAGE: warns, and leaves with $die_status.
die() {
  warn "$1"
  exit "$die_status"
}

# need_root: dies unless the user is root.
need_root() {
  [ "$(id -u)" -eq 0 ] || die 'not root: chroot is for root alone'
}

# is_domain_name NAME: true when NAME can be the name of a domain's
# directory: letters, digits, dots, hyphens and underscores, with a letter
# or a digit first.
is_domain_name() {
  case $1 in
  '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;;
  esac
}

# list_domains: prints the names of the domains in $VIRTUAL, one a line. A
# domain is a directory there, other than lost+found and hidden ones. A link
# to a directory is a domain too, unless it leads to one that is listed
# already: then it is an alias of that one. Directories come first, so that
# a link never hides the domain it leads to. A name may hold spaces; one with
# control characters is no domain, for it could not stand on a line.
list_domains() {
  listed_top=$(readlink -f -- "$VIRTUAL") || return 0
  listed_seen=$newline$listed_top$newline$listed_top/lost+found$newline
  for entry in "$listed_top"/*; do
    if [ -d "$entry" ] && [ ! -L "$entry" ]; then
      list_unseen "$entry" "$entry"
    fi
  done
  for entry in "$listed_top"/*; do
    if [ -d "$entry" ] && [ -L "$entry" ]; then
      list_unseen "$entry" "$(readlink -f -- "$entry")"
    fi
  done
}

# list_unseen ENTRY TARGET: the step of list_domains for one directory.
list_unseen() {
  case $1 in
  *[[:cntrl:]]*) return ;;
  esac
  case $2 in
  "$listed_top"/.*) return ;;
  esac
  case $listed_seen in
  *"$newline$2$newline"*) return ;;
  esac
  listed_seen=$listed_seen$2$newline
  printf '%s\n' "${1##*/}"
}

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
# A ROOT whose dev is not a directory of root's own is refused, for the link
# could be made to land elsewhere. What fails is warned about; false then.
link_log() {
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

# For syslog.init and sendmail.init -------------------------------------

# tell MESSAGE: says "program: MESSAGE" on standard output.
tell() {
  printf '%s: %s\n' "$program" "$1"
}

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
  noted=$1
  shift
  mkdir -p -- "${noted%/*}"
  for pid in "$@"; do
    printf '%s %s\n' "$pid" "$(born "$pid")"
  done >"$noted.new"
  mv -f -- "$noted.new" "$noted"
}

# recall FILE: prints the pids of those processes in it that still run.
recall() {
  [ -f "$1" ] || return 0
  while read -r pid since; do
    if [ "$(born "$pid")" = "$since" ]; then
      printf '%s\n' "$pid"
    fi
  done <"$1"
}

# end FILE: ends the processes written down in it, and forgets them.
end() {
  for pid in $(recall "$1"); do
    kill "$pid" 2>/dev/null || :
  done
  tries=0
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
  name='?'
  { read -r name <"/proc/$1/comm"; } 2>/dev/null || :
  printf '%s (process %s)' "$(one_line "$name")" "$1"
}

# has_root PID ROOT: true when that is the root of the process. The name alone
# would take the root of a container for the host's, both being /.
has_root() {
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
# false if it is not there. A link counts, for where it leads is known only
# from inside; a directory that is a link does not, for from here it could
# lead to the host's programs. A bare name would not do where a shell has
# built-in programs, as busybox has.
program_in() {
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

root_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# in_root ROOT COMMAND...: becomes the command there, away from the terminal
# and from the caller's environment. Call it in a subshell.
in_root() {
  exec setsid env -i PATH="$root_path" chroot "$@" </dev/null
}

# ask_root SECONDS ROOT COMMAND...: the same with a limit of time.
ask_root() {
  limit=$1
  shift
  exec setsid timeout "$limit" env -i PATH="$root_path" chroot "$@" </dev/null
}
