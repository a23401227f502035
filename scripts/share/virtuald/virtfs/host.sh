# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/host.sh - where directories and programs are on the host, and which files everybody
# may read there.

# find_merged: sets merged to the top directories that are links into /usr, and tops to all
# that the host has.
find_merged() {
  local top
  merged=' ' tops=' '
  for top in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$top" ]; then
      case $(readlink -- "/$top") in
      usr/"$top" | /usr/"$top") merged=$merged$top' ' ;;
      esac
    fi
    case $top in
    bin | sbin | lib) tops=$tops$top' ' ;;
    *) [ ! -d "/$top" ] || tops=$tops$top' ' ;;
    esac
  done
}

# canonical PATH: prints PATH, with /usr in front if its top directory is merged.
canonical() {
  local top="${1#/}"
  case $merged in
  *" ${top%%/*} "*) printf '/usr%s\n' "$1" ;;
  *) printf '%s\n' "$1" ;;
  esac
}

# find_program NAME: prints the path of the program on the host; dies if there is none.
find_program() {
  local rest path
  case $1 in
  /*)
    if [ -f "$1" ] && { [ -x "$1" ] || is_library "$1"; }; then
      canonical "$1"
      return
    fi
    die "$1: not a program of this host"
    ;;
  */* | '') die "$1: neither the name nor the absolute path of a program" ;;
  esac
  rest=$PATH:$root_path:
  while [ -n "$rest" ]; do
    path=${rest%%:*}/$1
    rest=${rest#*:}
    case $path in
    /*)
      if [ -f "$path" ] && [ -x "$path" ]; then
        canonical "$path"
        return
      fi
      ;;
    esac
  done
  die "$1: not found on this host"
}

# find_tools: sets find, cp, dd and grep to the paths of these programs. If they were called
# by name, busybox's shell would run its own, which have fewer options.
find_tools() {
  find=$(find_program find) && cp=$(find_program cp) && dd=$(find_program dd) && grep=$(find_program grep) || exit
}

# A file that not everybody may read is a secret. Its mode does not show it, because a directory
# above it may be closed, and there may be access lists. So a user without any rights, the
# outsider, tries to open it. The outsider's number belongs to no account, not even to
# nobody, so no file has it, nor does any process that could tamper with the test.
outsider_number=65535

# find_outsider: sets outsider to the words that run a command as the outsider. It uses the
# paths of programs for the same reason as find_tools.
find_outsider() {
  local path
  for path in /usr/bin /bin /usr/local/bin; do
    outsider="$path/setpriv --reuid=$outsider_number --regid=$outsider_number --clear-groups"
    runs_outsider "$path/setpriv" && return
  done
  for path in /usr/sbin /usr/bin /sbin /bin; do
    outsider="$path/chroot --userspec=$outsider_number:$outsider_number --groups= /"
    runs_outsider "$path/chroot" && return
  done
  die 'setpriv: not found, nor a chroot that takes --userspec: cannot tell which files everybody may read'
}

# runs_outsider PROGRAM: true if the program exists and outsider works.
runs_outsider() {
  # shellcheck disable=SC2086 # the words of a command
  [ -x "$1" ] && $outsider sh -c : 2>/dev/null
}

# everybodys FILE...: prints those that everybody may read, one per line.
everybodys() {
  # shellcheck disable=SC2086,SC2016 # the words of a command; a script
  $outsider sh -c '
    for file; do
      if [ -f "$file" ] && { true <"$file"; } 2>/dev/null; then
        printf "%s\n" "$file"
      fi
    done' sh "$@"
}

# leave_out_secrets TREE: removes from the copy of a tree of the host the files that not
# everybody may read on the host, and says so. It also removes files with a newline in their
# names, which would spoil lists of files.
leave_out_secrets() {
  local path
  # shellcheck disable=SC2086,SC2016 # the words of a command; a script
  find "$root$1" -name "*$newline*" -prune -exec rm -rf -- {} + -o \( -type f -o -type d \) -exec $outsider sh -c '
    root=$1
    shift
    for copy; do
      path=${copy#"$root"}
      if [ -d "$path" ]; then
        [ -r "$path" ] && [ -x "$path" ]
      else
        { true <"$path"; } 2>/dev/null
      fi || printf "%s\n" "$path"
    done' sh "$root" {} + | while IFS= read -r path; do
    # It may have been removed with its directory.
    if [ -e "$root$path" ]; then
      rm -rf -- "$root$path"
      warn "$path: not everybody may read it: left out"
    fi
  done
}

# is_library PATH: true if the name is that of a library.
is_library() {
  case ${1##*/} in
  *.so | *.so.*) ;;
  *) return 1 ;;
  esac
}
