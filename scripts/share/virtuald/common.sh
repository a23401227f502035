# shellcheck shell=sh
# common.sh - shared by all scripts of virtuald, which source this file first.
#
# It sets, and every function below relies on:
#   program     the name under which the script was called, for messages
#   VIRTUAL     the leading directory, which holds the domains; from the
#               environment, else /etc/default/virtuald, else /virtual
#   die_status  the status that die exits with; a script may change it
#   newline     a newline
#   root_path the default PATH of root

# read_settings FILE: reads the assignments in FILE. The caller's environment
# takes precedence, so that "VIRTUAL=/virtual2 syslog.init start" works.
read_settings() {
  [ -r "$1" ] || return 0
  local given
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
root_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The scripts parse the output of other programs, and sort and match names. The
# result must be the same in every locale, and whatever the caller sets: CDPATH
# makes cd choose another directory, QUOTING_STYLE makes ls quote, and with
# POSIXLY_CORRECT options after an operand are files.
LC_ALL=C
export LC_ALL
unset CDPATH POSIXLY_CORRECT QUOTING_STYLE

# warn MESSAGE: prints "program: MESSAGE" on standard error. The message has the
# form "what: why".
warn() {
  printf '%s: %s\n' "$program" "$1" >&2
}

# die MESSAGE: warns, and exits with $die_status.
die() {
  warn "$1"
  exit "$die_status"
}

# bad_usage: shows the usage of the script, and exits with 2.
bad_usage() {
  usage >&2
  exit 2
}

# need_root: dies unless the user is root.
need_root() {
  [ "$(id -u)" -eq 0 ] || die 'not root: only root can use chroot'
}

# use_absolute_path: sets PATH to its absolute entries. The scripts work in directories of the domains, where a relative
# entry would run the domain's programs.
use_absolute_path() {
  local rest="${PATH-}:" path=''
  while [ -n "$rest" ]; do
    case $rest in
    /*) path=$path:${rest%%:*} ;;
    esac
    rest=${rest#*:}
  done
  PATH=${path#:}
  PATH=${PATH:-$root_path}
}

use_absolute_path

# find_virtuald: sets virtuald to the absolute path of VIRTUALD, of the virtuald
# beside the script, or of the one on PATH; to nothing if there is none.
find_virtuald() {
  virtuald=${VIRTUALD:-$(dirname -- "$(readlink -f -- "$0")")/virtuald}
  if [ ! -x "$virtuald" ] || [ -d "$virtuald" ]; then
    virtuald=$(command -v virtuald) || virtuald=''
  fi
  case $virtuald in
  '' | /*) ;;
  *) virtuald=$(pwd -P)/$virtuald ;;
  esac
}

# is_domain_name NAME: true if NAME can be the name of a domain's directory:
# letters, digits, dots, hyphens and underscores, with a letter or a digit
# first.
is_domain_name() {
  case $1 in
  '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;;
  esac
}

# list_domains: prints the names of the domains in $VIRTUAL, one per line. A
# domain is a directory there, except lost+found and hidden directories. A link
# to a directory is a domain too, unless its target is already listed: then it
# is an alias. Directories come first, so that a link never hides its target. A
# name may contain spaces. Names with control characters, such as a newline, are
# left out.
list_domains() {
  local top seen entry
  top=$(readlink -f -- "$VIRTUAL") || return 0
  seen=$newline$top$newline$top/lost+found$newline
  for entry in "$top"/*; do
    if [ -d "$entry" ] && [ ! -L "$entry" ]; then
      list_unseen "$entry" "$entry"
    fi
  done
  for entry in "$top"/*; do
    if [ -d "$entry" ] && [ -L "$entry" ]; then
      list_unseen "$entry" "$(readlink -f -- "$entry")"
    fi
  done
}

# list_unseen ENTRY TARGET: a step of list_domains: prints the name of ENTRY unless its target was seen; adds TARGET to
# seen.
list_unseen() {
  case $1 in
  *[[:cntrl:]]*) return ;;
  esac
  case $2 in
  "$top"/.*) return ;;
  esac
  case $seen in
  *"$newline$2$newline"*) return ;;
  esac
  seen=$seen$2$newline
  printf '%s\n' "${1##*/}"
}
