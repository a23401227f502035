# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/libraries.sh - the libraries that programs need, as listed by the loaders of the host.

# The loaders would list what these name, which no domain has.
unset LD_LIBRARY_PATH LD_PRELOAD

# find_loaders: sets loaders to the dynamic loaders of this host, and empties of_origin, which list_libraries adds to.
find_loaders() {
  local loader
  loaders='' of_origin=''
  for loader in /lib64/ld-linux*.so.* /lib/ld-linux*.so.* /lib32/ld-linux*.so.* \
    /lib64/ld64.so.* /lib/ld64.so.* /lib/ld.so.* /lib/ld-musl-*.so.*; do
    if [ -x "$loader" ]; then
      loaders="$loaders $loader"
    fi
  done
}

# choose_loader_user PROGRAM: if the program is in owned, sets loader_user to a command that runs the loader as the
# program's owner, who may have written something into it that attacks the loader.
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

# takes LOADER PROGRAM: true if the loader is the right one for the program. Others would list the wrong libraries,
# and crash on a static program.
takes() {
  # shellcheck disable=SC2086 # the words of a command
  case $1 in
  */ld-musl-*) ;;
  *) $loader_user "$1" --verify "$2" 2>/dev/null ;;
  esac
}

# list_libraries FILE: adds the loader's list of the libraries of FILE to needed, and those found relative to FILE to
# of_origin. False if no loader takes FILE. It asks the loader, because ldd(1) may run the program.
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
      case $listing in
      *"=> ${1%/*}/"*) is_library "$1" || note_origin "$1" "$listing" ;;
      esac
      return 0
    fi
  done
  return 1
}

# note_origin FILE LISTING: if FILE has a run path with $ORIGIN, adds the libraries in the directory of FILE to
# of_origin.
note_origin() {
  # shellcheck disable=SC2016 # as it is in the file
  "$grep" -qaF -e '$ORIGIN' -e '${ORIGIN}' -- "$1" || return 0
  of_origin=$of_origin$newline$(printf '%s\n' "$2" | "$grep" -F -- "=> ${1%/*}/")
}

# name_origins: adds the directories of the libraries in of_origin to the root's ld.so.conf, because the loader learns
# from /proc where a program is, and /proc is empty in the root. The cache must be written afterwards.
name_origins() {
  local directory needed="$of_origin"
  [ -n "$of_origin" ] || return 0
  copy_plain_etc ld.so.conf
  list_needed | sed 's,/[^/]*$,,' | sort -u | while IFS= read -r directory; do
    "$grep" -qsxF -e "$directory" -- "$root/etc/ld.so.conf" || printf '%s\n' "$directory" >>"$root/etc/ld.so.conf"
  done
}

# list_needed: prints the paths, in the root, of the libraries in needed.
list_needed() {
  printf '%s\n' "$needed" | awk -v merged="$merged" '
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
    }'
}

# add_libraries: sets uses to the libraries in needed, and adds them to files.
add_libraries() {
  uses=$(list_needed)
  [ -z "$uses" ] || files=$files$uses$newline
}
