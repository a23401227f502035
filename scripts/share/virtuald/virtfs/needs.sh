# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/needs.sh - the programs of a root: those that are asked for, their interpreters, and helpers that they start.

# collect_programs: finds all files that the programs in asked need. It writes nothing, but sets what find_packages
# sets, and
#   names      the paths, in the root, of the programs and of the libraries that were asked for
#   links      "PATH TARGET" for each of these that is a link
#   owned      "PATH UID" for each program that an account of the system owns
#   needed     the loaders' lists of libraries
#   of_origin  the part of needed that was found relative to a program
#   uses       the libraries
#   called     "@NAME" for each function of the rules that any of the files may call
#   files      all files to copy, programs first
# These are lists with one item per line.
collect_programs() {
  local queue="$asked"
  names=$newline links='' files='' needed='' of_origin='' called='' owned=$newline
  follow_queue
  follow_named "$files"
  find_packages
  bring_programs
  add_libraries
  called=$(list_called)
  refuse_untrusted "$files" is_known
}

# follow_queue: adds the programs in queue, and their interpreters, to names, links, files, owned and needed. It
# empties queue.
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

# follow_named FILES: adds helper programs whose paths are in these files to queue and follows it, and does the same
# with the helpers' files. sshd, for example, contains the path of the program that it starts for each login.
follow_named() {
  local before path
  before=$files
  # Only programs in a subdirectory are helpers: /usr/lib/sendmail and the like are for everybody.
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

# add_program NAME: adds one program to names and links, and its file to fresh, unless it is there already.
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

# add_calls_of_profile PROGRAM: if the program is a shell, which reads /etc/profile, and that calls id, adds id to
# queue.
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

# read_interpreter FILE: adds the interpreter of a script to queue. A statically linked program has none.
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
      # After -S the argument is split into words, some of which may set variables.
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
