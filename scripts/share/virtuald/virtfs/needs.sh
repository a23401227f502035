# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/needs.sh - what programs need of the host: helpers that they start, and interpreters.

# collect_programs: follows what is asked for to the files that it needs, and
# sets needed, of_origin, uses and
#   names   the programs, and libraries asked for, by the path that each has in
#           the root
#   owned   "path uid" for each program of an account of its own
#   links   "path target" for each of those that is a link
#   files   the files to copy, programs first
# and what find_packages sets, each with a line for each. Nothing is written.
collect_programs() {
  local queue="$asked"
  names=$newline links='' files='' needed='' of_origin='' owned=$newline
  follow_queue
  follow_named "$files"
  find_packages
  bring_programs
  add_libraries
  refuse_untrusted "$files" is_known
}

# follow_queue: adds the programs in queue, and those that they need, to names, links,
# files, owned and needed, and leaves queue empty.
follow_queue() {
  local fresh next loader_user
  while [ -n "$queue" ]; do
    fresh=''
    while [ -n "$queue" ]; do
      next=${queue%%"$newline"*}
      queue=${queue#*"$newline"}
      add_program "$next"
    done
    refuse_untrusted "$fresh" is_of_account
    files=$files$fresh
    while [ -n "$fresh" ]; do
      next=${fresh%%"$newline"*}
      fresh=${fresh#*"$newline"}
      choose_loader_user "$next"
      list_libraries "$next" || read_interpreter "$next"
    done
  done
}

# follow_named FILES: follows the helper programs whose paths are in these files, as sshd has that of the program
# that it leaves each login to; and those that are in these. It adds to what follow_queue does, and leaves queue empty.
follow_named() {
  local before path
  before=$files
  # The directory of a program's own, and nothing for all, such as /usr/lib/sendmail.
  while IFS= read -r path; do
    case $path in
    *.so | *.so.* | /usr/lib/*-linux-* | /usr/lib/systemd/*) continue ;;
    esac
    if [ -f "$path" ] && [ -x "$path" ]; then
      queue=$queue$path$newline
    fi
  done <<END
$(printf '%s' "$1" | tr '\n' '\0' | xargs -0 -r "$grep" -aohE '/usr/lib(exec)?/[A-Za-z0-9._+-]+/[A-Za-z0-9._/+-]+' -- | sort -u)
END
  [ -n "$queue" ] || return 0
  follow_queue
  [ "$files" = "$before" ] || follow_named "${files#"$before"}"
}

# add_program NAME: adds one program to names and links, and its file to
# fresh, unless it is known.
add_program() {
  local path target
  path=$(find_program "$1") || exit
  case $names in
  *"$newline$path$newline"*) return 0 ;;
  esac
  names=$names$path$newline
  add_calls_of_profile "$path"
  if [ -L "$path" ]; then
    target=$(readlink -f -- "$path")
    case $target in
    "${path%/*}"/*/*) links=$links$path' '$target$newline ;;
    "${path%/*}"/*) links=$links$path' '${target##*/}$newline ;;
    *) links=$links$path' '$target$newline ;;
    esac
    path=$target
  fi
  case $newline$files$fresh in
  *"$newline$path$newline"*) ;;
  *) fresh=$fresh$path$newline ;;
  esac
}

# add_calls_of_profile PROGRAM: adds what etc/profile calls to queue, if the
# program is a shell that reads it.
add_calls_of_profile() {
  local path
  case ${1##*/} in
  sh | ash | bash | dash | *ksh) ;;
  *) return 0 ;;
  esac
  if grep -qsw id /etc/profile && path=$(find_program id 2>/dev/null); then
    queue=$queue$path$newline
  fi
}

# read_interpreter FILE: adds the interpreter of a script to queue. A program
# that is linked statically needs nothing.
read_interpreter() {
  local first
  first=$(head -c 1024 -- "$1")
  case $first in
  '#!'*)
    first=${first%%"$newline"*}
    first=${first#??}
    # The words of the line: interpreter and argument.
    # shellcheck disable=SC2086
    set -- $first
    queue=$queue$1$newline
    case ${1##*/} in
    env)
      shift
      # -S has the rest split into words, and variables may be set there.
      while [ $# -gt 0 ]; do
        case $1 in
        -S?*)
          first=${1#-S}
          shift
          set -- "$first" "$@"
          ;;
        -* | *=*) shift ;;
        *)
          queue=$queue$1$newline
          break
          ;;
        esac
      done
      ;;
    esac
    ;;
  "$(printf '\177ELF')"*) ;;
  *) die "$1: neither a program nor a script" ;;
  esac
}
