# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/replace.sh - replacing files in a domain, whose owner may replace any directory with
# a link at any moment.

# hold DIRECTORY: changes to that directory of the domain. False if it does not exist, or if
# cd followed a link, which PWD shows: cd -P sets it to the real path.
hold() {
  { cd -P -- "$place/$1"; } 2>/dev/null && [ "$PWD" = "$place${1:+/$1}" ]
}

# is_of_domain DIRECTORY: true if it is on the same file system as the hidden directory, so
# that mv renames and does not copy.
is_of_domain() {
  # shellcheck disable=SC2046 # two words
  set -- $(stat -c %d -- "$1" "$work")
  [ $# -eq 2 ] && [ "$1" = "$2" ]
}

# make_directory PATH MODE OWNER: makes a directory that the domain lacks. It gets its mode
# and owner elsewhere and is then moved in, because in the domain its name may lead to
# another file a moment later.
make_directory() (
  rm -rf -- "$work/directory"
  mkdir -m "$2" -- "$work/directory"
  chown -- "$3" "$work/directory"
  case $1 in
  */*) hold "${1%/*}" || return 0 ;;
  *) hold '' ;;
  esac
  if [ ! -e "./${1##*/}" ] && [ ! -L "./${1##*/}" ] && is_of_domain .; then
    mv -T -- "$work/directory" "./${1##*/}" 2>/dev/null || :
  fi
)

# move_in STAGE DIRECTORY PATH...: moves the files with these paths in the stage to a
# directory of the domain. False if one cannot be moved. If the domain has a directory in
# the place of a file, the directory is kept.
move_in() (
  stage=$1 directory=$2
  shift 2
  if ! hold "$directory" || ! is_of_domain .; then
    warn "$place/$directory: not a directory on the domain's file system: left unchanged"
    return 1
  fi
  for path in "$@"; do
    shift
    set -- "$@" "$stage/$path"
  done
  mv -f -- "$@" . 2>/dev/null || :
  for path in "$@"; do
    if [ -L "$path" ] || [ -f "$path" ]; then
      warn "$place/$directory/${path##*/}: cannot be replaced: left unchanged"
      return 1
    fi
  done
)

# replace: makes the directories in missing, and replaces the files in changed. False if one
# could not be replaced.
replace() {
  local stage="$work/staged" fine=true directory mode owner
  while read -r mode owner directory; do
    make_directory "$directory" "$mode" "$owner"
  done <"$work/missing"
  [ -s "$work/changed" ] || return 0
  # The update of another domain has left only directories there.
  [ -d "$stage" ] || mkdir -- "$stage"
  stage_changed
  by_directory move_changed <"$work/changed"
  "$fine"
}

# stage_changed: copies the files in changed to the stage. Hard links are made to the fresh root, which may be for more
# than one domain.
stage_changed() (
  cd -- "$making/root" || exit
  set --
  while IFS= read -r path; do
    set -- "$@" "$path"
    [ $# -lt 256 ] || { copy_to_stage "$@" && set --; }
  done <"$work/changed"
  [ $# -eq 0 ] || copy_to_stage "$@"
  [ -z "$link" ] || { cd -- "$stage" && separate_unsafe; }
)

copy_to_stage() {
  "$cp" -dp ${link:+"$link"} ${clone:+"$clone"} --parents -t "$stage" -- "$@" || failed "$place"
}

# move_changed DIRECTORY PATH...: moves these from the stage; sets fine to false if one
# cannot be moved.
move_changed() {
  move_in "$stage" "$@" || fine=false
}

# remove_gone: removes the files and directories in gone.
remove_gone() {
  local path
  while IFS= read -r path; do
    (
      case $path in
      */*) hold "${path%/*}" ;;
      *) hold '' ;;
      esac || exit 0
      rm -f -- "./${path##*/}" 2>/dev/null || rmdir -- "./${path##*/}" 2>/dev/null || :
    )
  done <"$work/gone"
}
