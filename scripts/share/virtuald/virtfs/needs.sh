# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/needs.sh - what programs need of the host: their libraries and interpreters.

# find_loaders: sets loaders to the dynamic loaders of this host.
find_loaders() {
  local loader
  loaders=''
  for loader in /lib64/ld-linux*.so.* /lib/ld-linux*.so.* /lib32/ld-linux*.so.* \
    /lib64/ld64.so.* /lib/ld64.so.* /lib/ld.so.* /lib/ld-musl-*.so.*; do
    if [ -x "$loader" ]; then
      loaders="$loaders $loader"
    fi
  done
}

# collect_programs: follows what is asked for to the files that it needs, and
# sets needed, uses and
#   names   the programs, and libraries asked for, by the path that each has in
#           the root
#   owned   "path uid" for each program of an account of its own
#   links   "path target" for each of those that is a link
#   files   the files to copy, programs first
# and what find_packages sets, each with a line for each. Nothing is written.
collect_programs() {
  local queue="$asked"
  names=$newline links='' files='' needed='' owned=$newline
  follow_queue
  follow_named "$files"
  find_packages
  follow_queue
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

# choose_loader_user PROGRAM: sets loader_user to the words that run the loader as
# the owner of the program, where that is not root: the owner may have written
# into the program what a loader is not made for.
choose_loader_user() {
  local uid
  loader_user=''
  case $owned in
  *"$newline$1 "*) ;;
  *) return 0 ;;
  esac
  [ "$(id -u)" -eq 0 ] || return 0
  [ -n "$outsider" ] || find_outsider
  uid=${owned#*"$newline$1 "}
  uid=${uid%%"$newline"*}
  # The first of the two numbers is the user's.
  loader_user=${outsider%%"$outsider_number"*}$uid${outsider#*"$outsider_number"}
}

# takes LOADER PROGRAM: true where the loader is the program's own. Other
# loaders would list the wrong libraries, and crash on a static program.
takes() {
  # shellcheck disable=SC2086 # the words of a command
  case $1 in
  */ld-musl-*) ;;
  *) $loader_user "$1" --verify "$2" 2>/dev/null ;;
  esac
}

# list_libraries FILE: adds what the loader says that FILE needs to needed;
# false where no loader takes FILE. The loader is asked itself, as ldd(1)
# warns that it may run the program.
list_libraries() {
  local loader listing missing
  for loader in $loaders; do
    case $1 in
    *.so*) ;;
    *) takes "$loader" "$1" || continue ;;
    esac
    # shellcheck disable=SC2086 # the words of a command
    if listing=$($loader_user "$loader" --list "$1" 2>/dev/null); then
      case $listing in
      *'not found'*)
        [ -n "$asked" ] || return 1
        missing=${listing%% => not found*}
        die "$1: needs ${missing##*[[:space:]]}, which this host lacks"
        ;;
      esac
      needed=$needed$newline$listing$newline$loader' (0x0)'
      return 0
    fi
  done
  return 1
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

# refuse_untrusted FILES EXCEPTION: whoever may write a program or a library of the
# host could have it do anything in the root, and even the loader should not
# read it here. EXCEPTION is a function that tells which are taken all the same.
refuse_untrusted() {
  local untrusted file
  untrusted=$(printf '%s' "$1" | tr '\n' '\0' | xargs -0 -r sh -c '
    find -L "$@" -prune \( ! -user root -o -perm -0020 -o -perm -0002 \)' sh)
  while [ -n "$untrusted" ]; do
    file=${untrusted%%"$newline"*}
    "$2" "$file" || die "$file: not root's own, or others may write it: not taken"
    untrusted=${untrusted#"$file"}
    untrusted=${untrusted#"$newline"}
  done
}

# is_of_account FILE: true where the file is a program that only an account of the
# system may write, as uucico is uucp's: what that account does in the root, it
# could do on the host. It adds the program to owned.
is_of_account() {
  local file="$1"
  # shellcheck disable=SC2046 # two words
  set -- $(stat -Lc '%u %a' -- "$1")
  case $2 in
  *[2367] | *[2367]?) return 1 ;;
  esac
  [ "$1" -lt 1000 ] && ! is_library "$file" && grep -q "^[^:]*:[^:]*:$1:" /etc/passwd || return 1
  owned=$owned$file' '$1$newline
}

# is_known FILE: true where the file is in owned.
is_known() {
  case $owned in
  *"$newline$1 "*) ;;
  *) return 1 ;;
  esac
}

# add_libraries: adds the libraries in needed to files; sets uses to their
# names, for what they in turn load at run time.
add_libraries() {
  local libraries
  libraries=$(printf '%s\n' "$needed" | awk -v merged="$merged" '
    { sub(/^.* => /, ""); sub(/ \(0x[0-9a-f]+\)$/, ""); sub(/^[ \t]+/, "") }
    /^\// {
      n = split($0, part, "/"); path = ""
      for (i = 2; i <= n; i++) {
        if (part[i] == "..") sub(/\/[^\/]*$/, "", path)
        else if (part[i] != "." && part[i] != "") path = path "/" part[i]
      }
      split(path, part, "/")
      if (index(merged, " " part[2] " ")) path = "/usr" path
      if (!seen[path]++) print path
    }')
  [ -z "$libraries" ] || files=$files$libraries$newline
  uses=$libraries
}
