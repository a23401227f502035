# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/replace.sh - putting files in place in a domain whose owner exchanges directories for links meanwhile.

# hold DIRECTORY: goes to that directory of the domain. False where it is not there
# or a link leads there: PWD is the real path after cd -P.
hold() {
  { cd -P -- "$place/$1"; } 2>/dev/null && [ "$PWD" = "$place${1:+/$1}" ]
}

# is_of_domain DIRECTORY: true where it is on the file system of the hidden directory,
# so that what is moved there is renamed.
is_of_domain() {
  # shellcheck disable=SC2046 # two words
  set -- $(stat -c %d -- "$1" "$work")
  [ $# -eq 2 ] && [ "$1" = "$2" ]
}

# make_directory PATH MODE OWNER: makes one that the domain lacks: elsewhere, and then
# moves it in, since what has its name there may be another file a moment later.
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

# move_in STAGE DIRECTORY PATH...: moves the files that have these paths in the stage to that
# directory of the domain. False where one cannot be moved. A directory that has the name
# of a file is left.
move_in() (
  stage=$1 directory=$2
  shift 2
  if ! hold "$directory" || ! is_of_domain .; then
    warn "$place/$directory: not a directory of the domain's file system: left as it is"
    return 1
  fi
  for path in "$@"; do
    shift
    set -- "$@" "$stage/$path"
  done
  mv -f -- "$@" . 2>/dev/null || :
  for path in "$@"; do
    if [ -L "$path" ] || [ -f "$path" ]; then
      warn "$place/$directory/${path##*/}: cannot be replaced: left as it is"
      return 1
    fi
  done
)

# replace: puts what has changed in place. Returns 1 where something could not be.
replace() {
  local stage="$work/stage.$domain" fine=true directory mode owner
  while read -r mode owner directory; do
    make_directory "$directory" "$mode" "$owner"
  done <"$work/missing"
  [ -s "$work/changed" ] || return 0
  mkdir -p -- "$stage"
  stage_changed
  by_directory move_changed <"$work/changed"
  "$fine"
}

# stage_changed: copies what has changed to the stage.
stage_changed() (
  cd -- "$making/root"
  set --
  while IFS= read -r path; do
    set -- "$@" "$path"
    [ $# -lt 256 ] || { copy_to_stage "$@" && set --; }
  done <"$work/changed"
  [ $# -eq 0 ] || copy_to_stage "$@"
)

copy_to_stage() {
  "$cp" -dp ${link:+"$link"} ${clone:+"$clone"} --parents -t "$stage" -- "$@" || failed "$place"
}

# move_changed DIRECTORY PATH...: moves these from the stage; sets fine to false where one
# cannot be moved.
move_changed() {
  move_in "$stage" "$@" || fine=false
}

# remove_gone: removes what only the old plan had.
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
