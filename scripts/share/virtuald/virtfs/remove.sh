# shellcheck shell=sh disable=SC2154
# virtfs/remove.sh - virtfs -r: removes a domain.
#
# It relies on variables of virtfs: place, domain, dry_run and root.
#
# The lines in configurations are removed first, so that no connection finds half a
# domain. Then the domain is hidden with one rename, and deleted. If a run is killed, the
# next one finishes the removal.

say_removal() {
  local config line
  printf '%s\n' "$configs" | while IFS= read -r config; do
    [ -z "$config" ] || lines_of_domain "$config" | while IFS= read -r line; do
      say "Would remove \"$line\" from $config"
    done
  done
  printf '%s\n' "$names" | while IFS= read -r line; do
    [ "${line%/*}" != "${VIRTUAL%/}" ] || say "Would remove $line"
  done
}

# remove_domain: does all of -r. It sets VIRTUAL to its real path, and given, place, names,
# configs and record for the functions above.
remove_domain() {
  local link
  given=${VIRTUAL%/}
  VIRTUAL=$({ cd -P -- "$VIRTUAL" && pwd -P; } 2>/dev/null) || die "$place: no such domain"
  place=${VIRTUAL%/}/$domain
  record=${VIRTUAL%/}/.virtfs/$domain
  if [ -L "$place" ]; then
    die "$place: a link to $(readlink -f -- "$place"): remove the domain that it leads to, or the link with rm"
  elif [ ! -d "$place" ] && [ ! -f "$record" ]; then
    die "$place: no such domain"
  fi
  need_settled "$domain"
  need_empty ''
  names=$(names_of_domain)
  configs=$(configs_of_domain)
  if "$dry_run"; then
    say_removal
    return
  fi
  need_root
  open_work
  need_settled "$domain"
  prepare_lines -v
  install_copies 'Removed its lines from'
  # A connection that was made before may still be open.
  need_empty "; its lines are already removed: run virtfs -r again for the rest"
  printf '%s\n' "$names" | while IFS= read -r link; do
    [ ! -L "$link" ] || rm -f -- "$link"
  done
  case $newline$(journal_mounts)$newline in
  *"$newline$place/dev/log$newline"*) unlink_log "$place" || failed "$place/dev/log" ;;
  esac
  [ ! -d "$place" ] || mv -T -- "$place" "$root/removed" || failed "$place"
  rm -f -- "$record" "${record%/*}/.plans/$domain"
  say "Removed $place"
}
