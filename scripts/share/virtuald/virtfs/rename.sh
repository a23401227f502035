# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/rename.sh - virtfs -m: gives a domain another name.
#
# It relies on variables of virtfs: old, domain (the new name) and dry_run.
#
# The record of the new name has the line "from:OLD" until all is done. Until then, no
# other run makes, updates or removes a domain of either name, because lines in
# configurations may name either directory. The directory is renamed before the
# configurations are replaced, so a connection in between finds no directory and is
# refused. If a run is killed, the same command finishes the renaming.

# old_links: prints the links in the leading directory that lead to the old name, even if
# the domain no longer has that name.
old_links() {
  local entry target above
  for entry in "${VIRTUAL%/}"/*; do
    [ -L "$entry" ] || continue
    target=$(readlink -- "$entry")
    target=${target%/}
    case $target in
    /*/*) above=${target%/*} ;;
    */*) above=$VIRTUAL/${target%/*} ;;
    *) above=$VIRTUAL ;;
    esac
    if [ "${target##*/}" = "$old" ] && [ "$({ cd -P -- "$above" && pwd -P; } 2>/dev/null)" = "$VIRTUAL" ]; then
      printf '%s\n' "$entry"
    fi
  done
}

# find_renamed: sets the variables of read_record, for the name that the domain has now: the
# old one, or the new one if an interrupted run got that far.
find_renamed() {
  local unfinished
  find_unfinished
  case $newline$unfinished$newline in
  *"$newline$old $new$newline"*)
    if [ -d "$VIRTUAL/$new" ] && [ -d "$VIRTUAL/$old" ]; then
      die "$VIRTUAL/$old: made after virtfs -m was interrupted: move it aside first"
    elif [ -d "$VIRTUAL/$new" ]; then
      read_record "$new" || :
      return
    fi
    ;;
  *)
    refuse_unsettled "$old"
    refuse_unsettled "$new"
    ;;
  esac
  read_record "$old" || :
  refuse_existing "$VIRTUAL/$new"
  need_empty ''
  [ ! -e "$VIRTUAL/.virtfs/$new" ] || grep -q '^from:' -- "$VIRTUAL/.virtfs/$new" ||
    die "$VIRTUAL/.virtfs/$new: the record of an earlier domain: remove it first"
}

# move_domain: renames the directory. The record of the new name is made first, so that
# no other domain gets its numbers.
move_domain() {
  {
    [ ! -f "$record" ] || "$grep" -v '^from:' -- "$record" || [ "$?" -eq 1 ]
    printf 'from:%s\n' "$old"
  } >"$work/record"
  mv -f -- "$work/record" "$VIRTUAL/.virtfs/$new" || failed "$VIRTUAL/.virtfs/$new"
  rm -f -- "${plan%/*}/$new"
  [ ! -f "$plan" ] || ln -- "$plan" "${plan%/*}/$new" || failed "${plan%/*}/$new"
  mv -T -- "$place" "$VIRTUAL/$new" || {
    rm -f -- "$VIRTUAL/.virtfs/$new" "${plan%/*}/$new"
    failed "$place"
  }
  read_record "$new" || :
}

# move_links: changes the links to the old name so that they lead to the new one.
move_links() {
  local entry target
  old_links | while IFS= read -r entry; do
    target=$(readlink -- "$entry")
    target=${target%/}
    ln -s -- "${target%"$old"}$new" "$work/link" && mv -f -T -- "$work/link" "$entry" || failed "$entry"
    say "Changed where $entry leads"
  done
}

# settle: removes the record of the old name, and the line "from:OLD".
settle() {
  rm -f -- "$VIRTUAL/.virtfs/$old" "${plan%/*}/$old"
  "$grep" -v '^from:' -- "$record" >"$work/record" || [ "$?" -eq 1 ] || failed "$record"
  if [ -s "$work/record" ]; then
    mv -f -- "$work/record" "$record" || failed "$record"
  else
    rm -f -- "$record"
  fi
}

# say_renaming: prints what would be done outside of the domain.
say_renaming() {
  local config line
  [ "$domain" = "$new" ] || say "Would rename $place to $VIRTUAL/$new"
  printf '%s\n' "$configs" | while IFS= read -r config; do
    [ -z "$config" ] || lines_of_domain "$config" | while IFS= read -r line; do
      say "Would change \"$line\" in $config"
    done
  done
  old_links | while IFS= read -r line; do
    say "Would change where $line leads"
  done
}

# rename_domain: does all of -m. It sets VIRTUAL to its real path, new, more, and names and
# configs for the functions above.
rename_domain() {
  need_root
  [ -d "$VIRTUAL" ] || die "$VIRTUAL: no such leading directory"
  new=$domain more=''
  names=${VIRTUAL%/}/$old
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  names=$names$newline$VIRTUAL/$old
  open_work
  find_renamed
  configs=$(configs_of_domain)
  if "$dry_run"; then
    say_renaming
  else
    prepare_lines "$new"
    # A signal in the middle of this would leave the domain without its lines.
    trap '' HUP INT PIPE TERM
    [ "$domain" = "$new" ] || move_domain
    install_copies 'Changed its lines in'
    trap 'exit 1' HUP INT PIPE TERM
    move_links
  fi
  rename_inside
  find_old_name
  "$dry_run" || {
    settle
    say "Renamed $VIRTUAL/$old to $VIRTUAL/$new"
  }
}
