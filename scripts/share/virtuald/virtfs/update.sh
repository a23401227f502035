# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/update.sh - virtfs -u: a domain's files are those of the host again;
# virtfs sources it after its other files.
#
# The root is made once more in the hidden directory from what the record says, once
# for all domains of the same making, and what is other in the domain is replaced
# by what is there. That is done by renames, each of one file and in a directory
# that is held: "." is a directory of the domain by then, whatever its owner
# exchanges, and no link is followed. Libraries are replaced before programs, and
# what only the old plan had goes last, so that a connection at any moment finds
# what it needs. A run that is killed leaves a domain that serves, and what the
# next one finishes.

# say_changes: says what would be done.
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

# say_users_of_old_files: names the processes in the domains in done that still have files
# open which were replaced, in one go for all. Each domain has its new files by then, so
# that a process which is not seen has them too.
say_users_of_old_files() {
  local place pid name last='' users=''
  set --
  while IFS= read -r place; do
    set -- "$@" "$place"
  done <"$work/done"
  [ $# -gt 0 ] || return 0
  stat -L -c '%d:%i %n' -- "$@" /proc/[0-9]*/root 2>/dev/null | awk '
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

# say_users: the step of say_users_of_old_files for one domain. Sets users to none.
say_users() {
  [ -z "$users" ] || warn "$last: these still run the old files, start them again:$users"
  users=''
}

# compare_domain: the same for what is in the domain, and its own plan as the old one.
compare_domain() {
  local old="$plan"
  [ -f "$old" ] || old=/dev/null
  list_root "$place" | compare "$making/plan" "$old"
}

# update DOMAIN: the whole of -u for one domain.
update() {
  local fine=true
  refuse_unsettled "$1"
  if ! read_record "$1"; then
    warn "$place: nothing is known of how it was made: say with -p which programs it is to have, or -p - for all of the host"
    return 1
  fi
  make_fresh || return
  strictly compare_domain || return
  if [ ! -s "$work/changed" ] && [ ! -s "$work/other" ]; then
    # Another program may have brought those of -p.
    [ -z "$more" ] || "$dry_run" || strictly write_record || return
    say "$place: has what the host has"
  elif "$dry_run"; then
    say_changes
    return
  else
    ! "$hard_links" || choose_copy
    strictly replace || fine=false
    replace_etc
    remove_gone
    if ! "$fine"; then
      warn "$place: not updated: another update finishes it"
      return 1
    fi
    strictly write_record || return
    say "Updated $place"
  fi
  printf '%s\n' "$place" >>"$work/done"
}

# update_domains: -u of the domains in wanted, a line for each, or of all that there
# are. It sets more to the programs that they are to have besides, VIRTUAL to its
# real path, and wanted, hard_links, and what choose_copy, find_version and find_unfinished
# set.
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
