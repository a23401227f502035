# shellcheck shell=sh disable=SC2154
# virtfs/new_name.sh - the names of a renamed domain in its own files.
#
# It relies on the variables of read_record, and on old and new.

# is_as_made PATH: true if virtfs installed this file of etc and the domain has not changed
# it.
is_as_made() {
  local sum name
  sum=$(state_of "$1")
  case " $name_files " in
  *" ${1#etc/} "*)
    for name in "$old" "$new"; do
      [ "$sum" != "$(name_file "${1#etc/}" "$name" | sha256sum | cut -d ' ' -f 1)" ] || return 0
    done
    return 1
    ;;
  esac
  [ -f "$plan" ] && grep -qxF -- "e $sum $1" "$plan"
}

# rename_inside: writes the new name into the files of etc that contain the domain's name,
# except for those that the domain has changed.
rename_inside() {
  local file
  for file in $name_files; do
    is_as_made "etc/$file" || continue
    if "$dry_run"; then
      say "Would replace $place/etc/$file"
      continue
    fi
    rm -rf -- "$work/stage"
    mkdir -- "$work/stage"
    name_file "$file" "$new" >"$work/stage/$file"
    move_in "$work/stage" etc "$file" || :
  done
}

# find_old_name: lists the files of etc that still contain the old name. The search follows
# no link, reads no FIFO, and takes at most half a minute.
find_old_name() {
  local path timeout
  # That of busybox leaves a process in the domain for a second.
  timeout=$(find_program timeout) || exit
  (hold etc && "$timeout" 30 "$grep" -rlF -- "$old" . 2>/dev/null) >"$work/hits" ||
    [ "$?" -ne 124 ] || complain 'etc: the search for the old name took too long and was stopped'
  head -n 1000 -- "$work/hits" | sed 's,^\./,etc/,' | sort | while IFS= read -r path; do
    is_as_made "$path" || printf '%s\n' "$path"
  done >"$work/found"
  complain_of "$work/found" "contains the name $old: change it by hand" || :
}
