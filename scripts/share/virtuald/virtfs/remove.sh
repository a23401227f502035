# shellcheck shell=sh disable=SC2154
# virtfs/remove.sh - virtfs -r: removes a domain.
#
# It relies on variables of virtfs: place, domain, dry_run and root.
#
# The lines in configurations are removed first, so that no connection finds half a
# domain. Then the domain is hidden with one rename, and deleted. If a run is killed, the
# next one finishes the removal.

# residents: prints "PID (NAME)" for each process whose root or working directory is the
# domain or below it. The root of an isolated process is called "/", so inodes are
# compared instead of names, from that directory upwards.
residents() {
  local itself top found entry pid name
  itself=$(stat -L -c %d:%i -- "$place") || return 0
  top=$(stat -L -c %d:%i /)
  inodes_of /proc/[0-9]*/root /proc/[0-9]*/cwd |
    while read -r found entry; do
      if [ "$found" != "$top" ] && is_inside "$found" "$entry" "$itself"; then
        pid=${entry#/proc/}
        printf '%s\n' "${pid%/*}"
      fi
    done | sort -un | while read -r pid; do
    name=''
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    printf '%s (%s)\n' "$pid" "$(printf '%s' "$name" | tr -cd ' -~')"
  done
}

# is_inside FOUND ENTRY DIRECTORY: true if the directory ENTRY is DIRECTORY or below it. FOUND
# and DIRECTORY are given as device and inode.
is_inside() {
  local found="$1" path="$2" above
  while [ "$found" != "$3" ]; do
    path=$path/..
    above=$(stat -L -c %d:%i -- "$path" 2>/dev/null) || return 1
    [ "$above" != "$found" ] || return 1
    found=$above
  done
}

# mounts_below: prints the mount points in the domain, its directory included, except for the
# log socket of syslog.init. The kernel escapes the names with backslashes, which awk would
# interpret in variables set by -v.
mounts_below() {
  place=$place logs=$(journal_mounts) awk '
    BEGIN { place = ENVIRON["place"]; logs = ENVIRON["logs"]; is_log[place "/dev/log"] = index("\n" logs "\n", "\n" place "/dev/log\n") }
    ($5 == place || index($5, place "/") == 1) && !is_log[$5] { print $5 }' /proc/self/mountinfo
}

# names_of_domain: prints the paths by which a configuration may name the domain: its
# directory, and the links in the leading directory that lead to it. The leading directory
# may have been given by another path than its real one, VIRTUAL.
names_of_domain() {
  local entry
  {
    printf '%s\n' "$place"
    for entry in "${VIRTUAL%/}"/*; do
      if [ -L "$entry" ] && [ "$(readlink -f -- "$entry")" = "$place" ]; then
        printf '%s\n' "$entry"
      fi
    done
  } | while IFS= read -r entry; do
    printf '%s\n' "$entry"
    [ "$given" = "${VIRTUAL%/}" ] || printf '%s\n' "$given/${entry##*/}"
  done
}

# configs_of_domain: prints the configurations that may name the domain: those in its record,
# and those in the leading directory.
configs_of_domain() {
  local config
  {
    [ ! -f "$record" ] || sed -n 's/^line:[^ ]* //p' -- "$record"
    for config in "${VIRTUAL%/}"/conf*; do
      printf '%s\n' "$config"
    done
  } | while IFS= read -r config; do
    config=$(readlink -f -- "$config") || continue
    [ ! -f "$config" ] || printf '%s\n' "$config"
  done | sort -u
}

# lines_of_domain CONFIG [-v | NEW]: prints the domain's lines in that configuration; with -v,
# all other lines; with a new name, all lines, the domain's with the new name.
lines_of_domain() {
  awk -v names="$names" -v how="${2-}" '
    BEGIN {
      count = split(names, name, "\n")
      for (number = 1; number <= count; number++) is_name[name[number]]
    }
    {
      line = $0
      sub(/\r$/, "", line)
      fields = split(line, field, /[ \t]+/)
      first = field[1] == "" ? 2 : 1
      directory = field[first + 1]
      sub(/\/+$/, "", directory)
      is_its = field[first] !~ /^#/ && directory != "" && (directory in is_name)
      if (is_its && how != "" && how != "-v") {
        start = index($0, directory)
        after = substr($0, start + length(directory))
        sub(/[^\/]*$/, how, directory)
        print substr($0, 1, start - 1) directory after
      } else if (is_its ? how == "" : how != "") print
    }' "$1"
}

# need_empty ADVICE: dies if a process runs in the domain or something is mounted there; the
# message ends with the advice.
need_empty() {
  local found
  found=$(mounts_below)
  [ -z "$found" ] || die "$place: mounted below it: $(one_line "${found%%"$newline"*}"): unmount that first$1"
  found=$(residents)
  [ -z "$found" ] ||
    die "$place: in use by process $(printf '%s\n' "$found" | sed '$!s/$/,/' | tr '\n' ' ' | sed 's/ $//'): end it first$1"
}

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
