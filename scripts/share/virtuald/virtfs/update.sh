# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/update.sh - virtfs -u: gives a domain the current files of the host.
#
# A fresh root is made in the hidden directory from the domain's record, once for all
# domains with the same programs, and each file of the domain that differs from it is
# replaced. That is done by renames, one for each file, from within the directory:
# whatever its owner replaces with a link meanwhile, "." stays a directory of the domain,
# and no link is followed. Libraries are replaced before programs, and files that only the
# old plan had are removed last, so that a connection at any moment finds all files that it
# needs. If a run is killed, the domain still works, and the next run finishes the update.

# say_changes: prints what would be done.
say_changes() {
  local path
  {
    cat -- "$work/changed"
    cut -d ' ' -f 3- -- "$work/missing"
  } | while IFS= read -r path; do
    say "Would replace $place/$path"
  done
  while IFS= read -r path; do
    say "Would remove $place/$path"
  done <"$work/gone"
  replace_etc
}

# say_users_of_old_files: lists the processes that still use replaced files, in the domains
# that the file done names. All of these have their new files by then, so a process that
# starts too late to be listed uses the new ones.
say_users_of_old_files() {
  local place pid name last='' users=''
  set --
  while IFS= read -r place; do
    set -- "$@" "$place"
  done <"$work/done"
  [ $# -gt 0 ] || return 0
  inodes_of "$@" /proc/[0-9]*/root | awk '
    $2 ~ /^\/proc\// { if ($1 in place) { split($2, part, "/"); print part[3], place[$1] }; next }
    { place[$1] = $2 }' >"$work/residents"
  sed 's,\([0-9]*\) .*,/proc/\1/maps,' "$work/residents" | xargs -r "$grep" -lsE \
    ' /([^ ]*/)?(usr|bin|sbin|lib[0-9a-z]*)/[^ ]* [(]deleted[)]$' -- | tr -cd '0-9\n' |
    awk 'NR == FNR { place[$1] = $2; next } { print place[$1], $1 }' "$work/residents" - | sort >"$work/users"
  while read -r place pid; do
    name=''
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$place" = "$last" ] || say_users
    last=$place users="$users $pid ($(printf '%s' "$name" | tr -cd ' -~'))"
  done <"$work/users"
  say_users
}

# say_users: the step of say_users_of_old_files for one domain. Sets users to nothing.
say_users() {
  [ -z "$users" ] || warn "$last: restart these processes, which use old files:$users"
  users=''
}

# compare_domain: compares the domain with the fresh root and with its own plan.
compare_domain() {
  local old="$plan"
  [ -f "$old" ] || old=/dev/null
  list_root "$place" "$most_levels" | compare "$making/plan" "$old"
}

# is_merged_alike: false if the host's /bin or the like has become a link into /usr since the domain was made. With some
# files in one place and some in the other, programs would find old libraries.
is_merged_alike() {
  local top
  for top in $tops; do
    if [ -L "$making/root/$top" ] && [ -d "$place/$top" ] && [ ! -L "$place/$top" ]; then
      warn "$place/$top: a directory, but a link to usr/$top on the host: move its files there, and make it such a link"
      return 1
    fi
  done
}

# update DOMAIN: does all of -u for one domain.
update() {
  local fine=true
  refuse_unsettled "$1"
  if ! read_record "$1"; then
    warn "$place: no record of its programs: name them with -p, or use -p - for all of the host's"
    return 1
  fi
  make_fresh && is_merged_alike || return
  compare_domain || return
  if [ ! -s "$work/changed" ] && [ ! -s "$work/other" ]; then
    # The programs of -p may be there already because others needed them.
    [ -z "$more" ] || "$dry_run" || write_record
    say "$place: up to date"
  elif "$dry_run"; then
    strictly say_changes
    return
  else
    ! "$hard_links" || choose_copy
    { strictly replace && replace_etc; } || fine=false
    if ! "$fine"; then
      rm -rf -- "$work/staged"
      warn "$place: not fully updated: run virtfs -u again"
      return 1
    fi
    # What was not replaced may need these files.
    remove_gone
    write_record
    say "Updated $place"
  fi
  printf '%s\n' "$place" >>"$work/done"
}

# update_domains: does -u for the domains in wanted, one per line, or for all. It sets more to
# the programs to be added, VIRTUAL to its real path, and wanted, hard_links, and the
# variables of choose_copy, find_version and find_unfinished.
update_domains() {
  local name fine=true
  need_root
  more=$asked
  [ -n "$wanted" ] || wanted=$(list_domains)
  [ -n "$wanted" ] || die "$VIRTUAL: no domains there: make one with virtfs"
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  find_outsider
  open_work
  printf '' >"$work/done" || failed "$work"
  find_unfinished
  find_owners
  find_version
  hard_links=false
  choose_copy
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    (update "$name") || fine=false
  done <<END
$wanted
END
  say_users_of_old_files
  "$fine"
}
