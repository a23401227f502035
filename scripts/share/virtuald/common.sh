# shellcheck shell=sh
# common.sh - what all scripts of virtuald share; they source this file first.
#
# It sets, and every function below relies on:
#   program     the name that the script was called by, for messages
#   VIRTUAL     the leading directory, which holds the domains; from the
#               environment, else /etc/default/virtuald, else /virtual
#   die_status  the status that die exits with; a script may change it
#   newline     a newline
#   root_path   the PATH of root, where nothing says another

# read_settings FILE: takes the settings of FILE, a list of assignments. What
# the caller's environment holds already wins over it, so that
# "VIRTUAL=/virtual2 syslog.init start" does what it says.
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

# The output of other programs is read here, and names are sorted and
# matched: both must be the same in every locale.
LC_ALL=C
export LC_ALL

# warn MESSAGE: says "program: MESSAGE" on standard error. The message is
# written as "what: why".
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
  [ "$(id -u)" -eq 0 ] || die 'not root: chroot is for root alone'
}

# use_absolute_path: sets PATH to what it has of absolute paths: the scripts work in
# directories of the domains, and would run the domains' programs there.
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

# find_virtuald: sets virtuald to the absolute path of virtuald, which is
# beside the script, or to nothing.
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
# control characters is left out, since it would not fit on a line.
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

# list_unseen ENTRY TARGET: the step of list_domains for one directory; adds what
# it leads to to seen.
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
